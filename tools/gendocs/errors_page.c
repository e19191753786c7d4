#include "pages.h"

#include "config/advice.h"

static const char *const dispositions[] = {
    [EST_RETRY] = "tried again",
    [EST_POISON] = "this input is set aside",
    [EST_PAUSE] = "the path pauses until someone acts",
    [EST_FATAL] = "the program stops",
};

void page_errors(struct est_buf *out)
{
    est_buf_puts(
        out, "# Error codes\n\n<!-- Made from lib/base/err.def and lib/config/advice.def by "
             "tools/gendocs. -->\n\n"
             "Each failure has one code, the same in answers, logs, the DLQ's headers and here; "
             "`esteira explain CODE` prints its row. *Then* says what the programs do about it by "
             "themselves.\n\n"
             "| code | what it means | then | what you do |\n|---|---|---|---|\n");
    for (int err = EST_OK + 1; err < EST_ERR__COUNT; err++)
        est_buf_printf(out, "| `%s` | %s | %s | %s |\n", est_err_code((est_err)err),
                       est_err_text((est_err)err), dispositions[est_err_disposition((est_err)err)],
                       est_advice_text((est_err)err, EST_LANG_EN));
}
