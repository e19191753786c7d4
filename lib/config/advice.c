#include "config/advice.h"

#include <strings.h>

static const char *const advice[EST_ERR__COUNT][EST_LANGS] = {
#define EST_ADVICE(name, en, pt) [EST_ERR_##name] = {en, pt},
#include "config/advice.def"
#undef EST_ADVICE
};

const char *est_advice_text(est_err err, enum est_lang lang)
{
    const char *text = (unsigned)err < EST_ERR__COUNT ? advice[err][lang] : NULL;

    return text != NULL ? text : "";
}

est_err est_advice_find(const char *code)
{
    for (int err = EST_OK + 1; err < EST_ERR__COUNT; err++)
        if (strcasecmp(est_err_code((est_err)err), code) == 0)
            return (est_err)err;
    return EST_OK;
}
