/* Where the server listens: ports, Unix sockets, addresses that cannot be; and descriptors that
 * run out. */
#include "http_fixture.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static char dir[64], path[96], address[110];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/esteira-listen-XXXXXX");
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/in.sock", dir);
    (void)snprintf(address, sizeof(address), "unix:%s", path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static struct client dial_unix(struct rig *r)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    struct client c = {.rig = r, .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    memcpy(sa.sun_path, path, strlen(path));
    assert_int_equal(connect(c.fd, (const void *)&sa, sizeof(sa)), 0);
    assert_int_equal(fcntl(c.fd, F_SETFL, O_NONBLOCK), 0);
    est_buf_init(&c.in, 1 << 20);
    return c;
}

static void serves_on_a_unix_socket(void **state)
{
    struct rig r;
    struct client c;
    struct stat st;

    (void)state;
    rig_open(&r, NULL);
    assert_int_equal(est_http_server_listen(r.server, address, NULL), EST_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    c = dial_unix(&r);
    client_say_str(&c, GET("/say"));
    assert_true(client_hears(&c, "GET /say - 0 "));
    assert_string_equal(r.peer, "unix");
    client_close(&c);
    rig_close(&r);
    assert_int_not_equal(stat(path, &st), 0); /* it goes with its server */
}

static void a_stale_socket_is_replaced_a_live_one_is_not(void **state)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct est_why why = {0};
    struct rig r, other;
    struct client c;

    (void)state;
    memcpy(sa.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (const void *)&sa, sizeof(sa)), 0);
    (void)close(fd); /* the file stays, as behind a process that was killed */
    rig_open(&r, NULL);
    rig_open(&other, NULL);
    assert_int_equal(est_http_server_listen(r.server, address, NULL), EST_OK);
    assert_int_equal(est_http_server_listen(other.server, address, &why), EST_ERR_IO);
    assert_non_null(strstr(why.text, path));
    rig_close(&other);
    c = dial_unix(&r);
    client_say_str(&c, GET("/say"));
    assert_true(client_hears(&c, "GET /say - 0 "));
    client_close(&c);
    rig_close(&r);
}

/* A path that was meant for something else: refused, and what stands there is left alone. */
static void a_file_at_the_path_is_never_removed(void **state)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    struct rig r;
    struct stat st;

    (void)state;
    assert_int_equal(write(fd, "dear", 4), 4);
    (void)close(fd);
    rig_open(&r, NULL);
    assert_int_equal(est_http_server_listen(r.server, address, NULL), EST_ERR_IO);
    rig_close(&r);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void addresses(void **state)
{
    static const struct {
        const char *address;
        est_err want;
    } cases[] = {
        {"127.0.0.1:0", EST_OK},
        {"localhost:0", EST_OK},
        {":0", EST_OK},
        {"127.0.0.1", EST_ERR_INVALID},
        {"", EST_ERR_INVALID},
        {"127.0.0.1:", EST_ERR_INVALID},
        {"127.0.0.1:x", EST_ERR_INVALID},
        {"unix:", EST_ERR_INVALID},
        {"unix:/no/such/folder/s", EST_ERR_IO},
        {"192.0.2.1:0", EST_ERR_IO}, /* documentation's network: not ours */
    };
    char longer[300] = "unix:/";

    (void)state;
    memset(longer + 6, 'x', 200);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_why why = {0};
        struct rig r;
        rig_open(&r, NULL);
        if (est_http_server_listen(r.server, cases[i].address, &why) != cases[i].want)
            fail_msg("%s: %s", cases[i].address, why.text);
        assert_int_equal(why.code, cases[i].want);
        assert_int_equal(est_http_server_listen(r.server, longer, NULL), EST_ERR_INVALID);
        rig_close(&r);
    }
}

static void eight_listeners_and_no_more(void **state)
{
    struct rig r;
    unsigned port;

    (void)state;
    rig_open(&r, NULL);
    port = est_http_server_port(r.server);
    for (int i = 1; i < 8; i++)
        assert_int_equal(est_http_server_listen(r.server, "127.0.0.1:0", NULL), EST_OK);
    assert_int_equal(est_http_server_listen(r.server, "127.0.0.1:0", NULL), EST_ERR_FULL);
    assert_int_equal(est_http_server_port(r.server), port);
    rig_close(&r);
}

static void a_port_in_use(void **state)
{
    struct est_why why = {0};
    char taken[32];
    struct rig r;

    (void)state;
    rig_open(&r, NULL);
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", est_http_server_port(r.server));
    assert_int_equal(est_http_server_listen(r.server, taken, &why), EST_ERR_IO);
    assert_non_null(strstr(why.text, taken));
    rig_close(&r);
}

/* In a child with few descriptors: the listener rests instead of spinning, and takes the waiting
 * connection once there is a descriptor again. */
static void descriptors_run_out(void **state)
{
    enum { TAKEN = 200 };
    pid_t child = fork();
    int status;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        int fds[TAKEN], n = 0;
        unsigned turns = 0;
        est_us until;
        struct rig r;
        struct client c;
        (void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){128, 128});
        rig_open(&r, NULL);
        c = rig_dial(&r);
        while (n < TAKEN && (fds[n] = dup(STDERR_FILENO)) >= 0)
            n++;
        client_say_str(&c, GET("/say"));
        until = est_clock_mono() + 300 * EST_MS;
        for (; est_clock_mono() < until; turns++)
            est_loop_turn(r.loop, EST_SECOND);
        if (turns > 20 || r.calls != 0)
            _exit(2);
        while (n > 0)
            (void)close(fds[--n]);
        _exit(client_hears(&c, "GET /say - 0 ") ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        T(serves_on_a_unix_socket),
        T(a_stale_socket_is_replaced_a_live_one_is_not),
        T(a_file_at_the_path_is_never_removed),
        cmocka_unit_test(addresses),
        cmocka_unit_test(eight_listeners_and_no_more),
        cmocka_unit_test(a_port_in_use),
        cmocka_unit_test(descriptors_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
