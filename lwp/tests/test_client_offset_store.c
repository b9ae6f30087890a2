/* SPDX-License-Identifier: MIT */
#include "lwp/tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lwp/client/offset_store.h"

enum { ROUNDS = 50, WRITERS = 4, MOST_CALLS = 100 };

/* The calls of the operating system that stores make: one of them, or all from there on, fail. */
static atomic_uint call_count;
static unsigned failing; /* The number of the call that fails; 0: none. */
static bool for_good;    /* So do those behind it, as after a power failure. */

/* NOLINTBEGIN: the linker wants these names. */
int __real_openat(int folder, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __real_write(int fd, const void *bytes, size_t size);
int __real_fsync(int fd);
int __real_flock(int fd, int operation);
int __real_mkdirat(int folder, const char *path, mode_t mode);
int __real_renameat(int from, const char *old, int to, const char *path);
int __wrap_openat(int folder, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
int __wrap_fsync(int fd);
int __wrap_flock(int fd, int operation);
int __wrap_mkdirat(int folder, const char *path, mode_t mode);
int __wrap_renameat(int from, const char *old, int to, const char *path);

static bool fails(void)
{
    const unsigned number = ++call_count;
    const bool does = failing && (number == failing || (for_good && number > failing));
    errno = does ? EIO : errno;
    return does;
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    return fails() ? -1 : __real_openat(folder, path, flags, 0644);
}

ssize_t __wrap_read(int fd, void *out, size_t size)
{
    return fails() ? -1 : __real_read(fd, out, size);
}

/* Half of it is there when it fails. */
ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    if (!fails())
        return __real_write(fd, bytes, size);
    assert_int_equal(__real_write(fd, bytes, size / 2), size / 2);
    return -1;
}

int __wrap_fsync(int fd)
{
    return fails() ? -1 : __real_fsync(fd);
}

int __wrap_flock(int fd, int operation)
{
    return fails() ? -1 : __real_flock(fd, operation);
}

int __wrap_mkdirat(int folder, const char *path, mode_t mode)
{
    return fails() ? -1 : __real_mkdirat(folder, path, mode);
}

int __wrap_renameat(int from, const char *old, int to, const char *path)
{
    return fails() ? -1 : __real_renameat(from, old, to, path);
}
/* NOLINTEND */

/* A new folder for one test, as its state. */
static int make_folder(void **state)
{
    char *folder = strdup("/tmp/lwp-offsets-XXXXXX");
    *state = folder && mkdtemp(folder) ? folder : NULL;
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", (char *)*state);
    free(*state);
    return system(command);
}

static struct lwp_offset_key key_of(const char *consumer, uint32_t topic_id)
{
    return (struct lwp_offset_key){consumer, topic_id, NULL};
}

static struct lwp_offset_store *files_in(const char *folder, enum lwp_offset_layout layout)
{
    struct lwp_offset_store *store = NULL;
    assert_int_equal(lwp_offset_store_files(folder, layout, &store), LWP_OK);
    return store;
}

static enum lwp_status load(struct lwp_offset_store *store, struct lwp_offset_key key,
                            uint64_t *offset)
{
    return lwp_offset_store_load(store, &key, offset);
}

static enum lwp_status save(struct lwp_offset_store *store, struct lwp_offset_key key,
                            uint64_t offset)
{
    return lwp_offset_store_save(store, &key, offset);
}

static enum lwp_status forget(struct lwp_offset_store *store, struct lwp_offset_key key)
{
    return lwp_offset_store_forget(store, &key);
}

/* Saved, read back by this store and by a new one, forgotten. */
static void check_round_trip(struct lwp_offset_store *store, struct lwp_offset_key key)
{
    uint64_t offset = 77;
    assert_int_equal(load(store, key, &offset), LWP_STORE_EMPTY);
    assert_int_equal(offset, 77);
    assert_int_equal(save(store, key, 0), LWP_OK);
    assert_int_equal(load(store, key, &offset), LWP_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(save(store, key, UINT64_MAX - 1), LWP_OK);
    assert_int_equal(save(store, key, 5), LWP_OK);
    assert_int_equal(save(store, key, UINT64_MAX - 1), LWP_OK);
    assert_int_equal(load(store, key, &offset), LWP_OK);
    assert_true(offset == UINT64_MAX - 1);
    assert_int_equal(forget(store, key), LWP_OK);
    assert_int_equal(forget(store, key), LWP_OK);
    assert_int_equal(load(store, key, &offset), LWP_STORE_EMPTY);
}

static void every_kind_of_store_gives_back_what_it_was_given(void **state)
{
    struct lwp_offset_store *memory = NULL;
    assert_int_equal(lwp_offset_store_memory(&memory), LWP_OK);
    struct lwp_offset_store *python = files_in(*state, LWP_OFFSETS_PYTHON);
    struct lwp_offset_store *rust = files_in(*state, LWP_OFFSETS_RUST);
    struct lwp_offset_store *stores[] = {memory, python, rust};
    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        check_round_trip(stores[i], key_of("reader", 7));
        check_round_trip(stores[i], key_of("L\xc3\xa4ufer \"1\" \t", UINT32_MAX));
        lwp_offset_store_free(stores[i]);
    }
}

static void consumers_and_topics_are_kept_apart(void **state)
{
    struct lwp_offset_store *memory = NULL;
    assert_int_equal(lwp_offset_store_memory(&memory), LWP_OK);
    struct lwp_offset_store *stores[] = {memory, files_in(*state, LWP_OFFSETS_PYTHON),
                                         files_in(*state, LWP_OFFSETS_RUST)};
    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        const struct lwp_offset_key keys[] = {key_of("a", 1), key_of("a", 2), key_of("a_1", 1),
                                              key_of("b", 1)};
        for (size_t k = 0; k < COUNT_OF(keys); k++)
            assert_int_equal(save(stores[i], keys[k], 100 + k), LWP_OK);
        for (size_t k = 0; k < COUNT_OF(keys); k++) {
            uint64_t offset = 0;
            assert_int_equal(load(stores[i], keys[k], &offset), LWP_OK);
            assert_int_equal(offset, 100 + k);
        }
        lwp_offset_store_free(stores[i]);
    }
}

static void put_file(const char *folder, const char *name, const void *data, size_t size)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *folder, const char *name, const char *text)
{
    put_file(folder, name, text, strlen(text));
}

static void check_file(const char *folder, const char *name, const char *expected)
{
    char path[512], text[1024] = "";
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t size = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

static void the_python_layout_is_what_the_python_client_reads(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(store, key_of("a/b\\c", 7), 4096), LWP_OK);
    check_file(*state, "a_b_c_7.offset",
               "{\"consumer\":\"a/b\\\\c\",\"topic_id\":7,\"topic_name\":null,\"offset\":4096}");
    const struct lwp_offset_key named = {"reader", 7, "orders"};
    assert_int_equal(save(store, named, 1), LWP_OK);
    check_file(*state, "reader_orders.offset",
               "{\"consumer\":\"reader\",\"topic_id\":7,\"topic_name\":\"orders\",\"offset\":1}");
    lwp_offset_store_free(store);
}

static void files_of_every_python_release_are_read(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    uint64_t offset = 0;
    put_text(*state, "reader_7.offset",
             "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": 12}");
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    assert_int_equal(offset, 12);
    put_text(*state, "reader_8.offset",
             "{\"consumer\": \"reader\", \"topic_id\": 8, \"topic_name\": null, \"offset\": 13}");
    assert_int_equal(load(store, key_of("reader", 8), &offset), LWP_OK);
    assert_int_equal(offset, 13);
    put_text(*state, "L\xc3\xa4ufer_orders.offset",
             "{\"consumer\": \"L\\u00e4ufer\", \"topic_id\": 9, \"topic_name\": \"orders\", "
             "\"offset\": 14}");
    const struct lwp_offset_key named = {"L\xc3\xa4ufer", 9, "orders"};
    assert_int_equal(load(store, named, &offset), LWP_OK);
    assert_int_equal(offset, 14);
    lwp_offset_store_free(store);
}

/* Values that the Rust client's hasher gave. */
static void the_rust_client_s_numbers_for_names_are_known(void **state)
{
    static const struct {
        const char *name;
        uint64_t hash;
    } known[] = {
        {"", 3476900567878811119U},
        {"a", 8186225505942432243U},
        {"my-consumer", 18044035401257023742U},
        {"test-consumer", 666084738560390654U},
        {"worker-1", 16750551406947868958U},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        assert_true(lwp_offset_consumer_hash(lwp_bytes_text(known[i].name)) == known[i].hash);
}

static void the_rust_layout_is_what_the_rust_client_reads(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_RUST);
    const char *const name = "worker-1/topic-7-consumer-16750551406947868958.offset";
    uint64_t offset = 0;
    assert_int_equal(save(store, key_of("worker-1", 7), 999), LWP_OK);
    check_file(*state, name, "999\n");
    check_file(*state, "worker-1/topic-7-consumer-16750551406947868958.lock", "");
    put_text(*state, name, "1000\n");
    assert_int_equal(load(store, key_of("worker-1", 7), &offset), LWP_OK);
    assert_int_equal(offset, 1000);
    lwp_offset_store_free(store);
}

/* Neither read nor overwritten, but it can be forgotten. */
static void check_damaged(struct lwp_offset_store *store, struct lwp_offset_key key)
{
    uint64_t offset = 77;
    assert_int_equal(load(store, key, &offset), LWP_STORE_DAMAGED);
    assert_int_equal(offset, 77);
    assert_int_equal(save(store, key, 5), LWP_STORE_DAMAGED);
    assert_int_equal(load(store, key, &offset), LWP_STORE_DAMAGED);
}

static void a_damaged_file_is_reported_and_kept(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "{\"offset\": 1",
        "[]",
        "null",
        "7",
        "7\n",
        "{}",
        "{\"consumer\": \"reader\", \"topic_id\": 7}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": -1}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": \"1\"}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": 1.5}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": null}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": 18446744073709551616}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": 1} x",
        "{\"consumer\": 1, \"topic_id\": 7, \"offset\": 1}",
        "{\"consumer\": \"reader\", \"topic_id\": 7, \"topic_name\": 1, \"offset\": 1}",
        "\xff\xfe",
    };
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        put_text(*state, "reader_7.offset", texts[i]);
        check_damaged(store, key_of("reader", 7));
        check_file(*state, "reader_7.offset", texts[i]);
    }
    assert_int_equal(forget(store, key_of("reader", 7)), LWP_OK);
    check_round_trip(store, key_of("reader", 7));
    lwp_offset_store_free(store);
}

static void a_damaged_file_of_the_rust_layout_is_reported_and_kept(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "12",
        "+12\n",
        "-1\n",
        " 12\n",
        "12 \n",
        "12\n\n",
        "1e3\n",
        "18446744073709551616\n",
        "99999999999999999999999\n",
        /* What the Rust client leaves when it seeks to the end: the restart would skip all. */
        "18446744073709551615\n",
    };
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_RUST);
    assert_int_equal(save(store, key_of("a", 7), 1), LWP_OK);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint64_t offset = 77;
        put_text(*state, "a/topic-7-consumer-8186225505942432243.offset", texts[i]);
        assert_int_equal(load(store, key_of("a", 7), &offset), LWP_STORE_DAMAGED);
        assert_int_equal(offset, 77);
    }
    lwp_offset_store_free(store);
}

static void what_is_no_small_regular_file_is_damaged(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    char path[512];
    char *large = malloc(1 << 20);
    assert_non_null(large);
    memset(large, ' ', 1 << 20);
    put_file(*state, "reader_7.offset", large, 1 << 20);
    free(large);
    check_damaged(store, key_of("reader", 7));
    (void)snprintf(path, sizeof(path), "%s/reader_8.offset", (char *)*state);
    assert_int_equal(mkdir(path, 0755), 0);
    check_damaged(store, key_of("reader", 8));
    (void)snprintf(path, sizeof(path), "%s/reader_9.offset", (char *)*state);
    assert_int_equal(mkfifo(path, 0644), 0);
    check_damaged(store, key_of("reader", 9));
    lwp_offset_store_free(store);
}

/* P-18: the Python client would give "a_b" the place of "a/b". */
static void two_consumers_with_one_file_are_told_apart(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    uint64_t offset = 77;
    assert_int_equal(save(store, key_of("a/b", 7), 1), LWP_OK);
    assert_int_equal(load(store, key_of("a_b", 7), &offset), LWP_STORE_FOREIGN);
    assert_int_equal(save(store, key_of("a_b", 7), 2), LWP_STORE_FOREIGN);
    assert_int_equal(forget(store, key_of("a_b", 7)), LWP_STORE_FOREIGN);
    assert_int_equal(load(store, key_of("a/b", 7), &offset), LWP_OK);
    assert_int_equal(offset, 1);
    const struct lwp_offset_key numbered = {"a/b", 8, "7"};
    assert_int_equal(load(store, numbered, &offset), LWP_STORE_FOREIGN);
    lwp_offset_store_free(store);
}

static void a_topic_that_was_made_anew_does_not_inherit_the_place(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    uint64_t offset = 77;
    const struct lwp_offset_key before = {"reader", 7, "orders"};
    const struct lwp_offset_key after = {"reader", 8, "orders"};
    assert_int_equal(save(store, before, 1), LWP_OK);
    assert_int_equal(load(store, after, &offset), LWP_STORE_FOREIGN);
    assert_int_equal(offset, 77);
    lwp_offset_store_free(store);
}

static void no_name_leads_out_of_the_folder(void **state)
{
    char inner[512], path[600];
    uint64_t offset = 0;
    struct stat about;
    (void)snprintf(inner, sizeof(inner), "%s/deep/er", (char *)*state);
    struct lwp_offset_store *python = files_in(inner, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(python, key_of("../x", 1), 1), LWP_OK);
    assert_int_equal(save(python, key_of("/etc/x", 1), 1), LWP_OK);
    (void)snprintf(path, sizeof(path), "%s/.._x_1.offset", inner);
    assert_int_equal(stat(path, &about), 0);
    const struct lwp_offset_key climbing = {"x", 1, "../../y"};
    assert_int_equal(save(python, climbing, 1), LWP_INVALID_ARGUMENT);
    lwp_offset_store_free(python);

    struct lwp_offset_store *rust = files_in(inner, LWP_OFFSETS_RUST);
    const char *const names[] = {"..", ".", "../x", "/etc", "a/b"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(save(rust, key_of(names[i], 1), 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(load(rust, key_of(names[i], 1), &offset), LWP_INVALID_ARGUMENT);
        assert_int_equal(forget(rust, key_of(names[i], 1)), LWP_INVALID_ARGUMENT);
    }
    lwp_offset_store_free(rust);
}

static void a_link_is_not_followed(void **state)
{
    char path[512], target[512];
    uint64_t offset = 0;
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    (void)snprintf(path, sizeof(path), "%s/reader_7.offset", (char *)*state);
    (void)snprintf(target, sizeof(target), "%s/elsewhere", (char *)*state);
    put_text(*state, "elsewhere", "{\"consumer\": \"reader\", \"topic_id\": 7, \"offset\": 1}");
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_IO);
    assert_int_equal(errno, ELOOP);
    lwp_offset_store_free(store);
}

static void names_that_can_not_be_kept_are_refused(void **state)
{
    char largest[LWP_OFFSET_MAX_NAME + 2];
    memset(largest, 'x', sizeof(largest));
    largest[LWP_OFFSET_MAX_NAME + 1] = '\0';
    struct lwp_offset_store *memory = NULL;
    assert_int_equal(lwp_offset_store_memory(&memory), LWP_OK);
    struct lwp_offset_store *stores[] = {memory, files_in(*state, LWP_OFFSETS_PYTHON),
                                         files_in(*state, LWP_OFFSETS_RUST)};
    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        assert_int_equal(save(stores[i], key_of("", 1), 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(save(stores[i], key_of(NULL, 1), 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(save(stores[i], key_of("\xff", 1), 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(save(stores[i], key_of(largest, 1), 1), LWP_INVALID_ARGUMENT);
        assert_int_equal(save(stores[i], key_of(largest + 1, 1), 1), LWP_OK);
        lwp_offset_store_free(stores[i]);
    }
    /* Two long names together are longer than a file's name may be. */
    struct lwp_offset_store *python = files_in(*state, LWP_OFFSETS_PYTHON);
    const struct lwp_offset_key both = {largest + 1, 1, largest + 1};
    assert_int_equal(save(python, both, 1), LWP_INVALID_ARGUMENT);
    lwp_offset_store_free(python);
}

/* B-35: it would skip all that is written until the restart. */
static void the_tail_sentinel_is_no_place(void **state)
{
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(store, key_of("reader", 7), UINT64_MAX), LWP_INVALID_ARGUMENT);
    lwp_offset_store_free(store);
}

struct writer {
    const char *folder;
    enum lwp_offset_layout layout;
    uint64_t first;
};

/* A busy disk may let the lock be held for more than the second that a writer waits. */
static enum lwp_status save_patiently(struct lwp_offset_store *store, uint64_t offset)
{
    enum { PATIENCE = 60 };
    enum lwp_status status = LWP_TIMEOUT;
    for (int i = 0; i < PATIENCE && status == LWP_TIMEOUT; i++)
        status = save(store, key_of("reader", 7), offset);
    return status;
}

static void *write_many(void *argument)
{
    const struct writer *writer = argument;
    struct lwp_offset_store *store = files_in(writer->folder, writer->layout);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t offset = 0;
        assert_int_equal(save_patiently(store, writer->first + i), LWP_OK);
        assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    }
    lwp_offset_store_free(store);
    return NULL;
}

static void check_rivals(const char *folder, enum lwp_offset_layout layout)
{
    pid_t children[WRITERS];
    pthread_t thread;
    for (int i = 0; i < WRITERS; i++) {
        struct writer writer = {folder, layout, (uint64_t)i * 1000};
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            write_many(&writer);
            _exit(0);
        }
    }
    struct writer writer = {folder, layout, 9000};
    assert_int_equal(pthread_create(&thread, NULL, write_many, &writer), 0);
    write_many(&writer);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void processes_and_threads_on_one_file_do_not_destroy_it(void **state)
{
    check_rivals(*state, LWP_OFFSETS_PYTHON);
    check_rivals(*state, LWP_OFFSETS_RUST);
}

static void a_lock_that_is_never_given_back_ends_in_a_time_out(void **state)
{
    char path[512];
    uint64_t offset = 0;
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(store, key_of("reader", 7), 1), LWP_OK);
    (void)snprintf(path, sizeof(path), "%s/reader_7.offset.lock", (char *)*state);
    const int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(save(store, key_of("reader", 7), 2), LWP_TIMEOUT);
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    assert_int_equal(offset, 1);
    close(fd);
    assert_int_equal(save(store, key_of("reader", 7), 2), LWP_OK);
    lwp_offset_store_free(store);
}

static void a_crash_while_writing_leaves_the_old_offset(void **state)
{
    uint64_t offset = 0;
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(store, key_of("reader", 7), 1), LWP_OK);
    put_text(*state, "reader_7.offset.new", "{\"consumer\":\"rea");
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    assert_int_equal(offset, 1);
    assert_int_equal(save(store, key_of("reader", 7), 2), LWP_OK);
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    assert_int_equal(offset, 2);
    lwp_offset_store_free(store);
}

/* What is there after a failure: the old place, or the new one. */
static void check_place(const char *folder, enum lwp_offset_layout layout, uint64_t old_offset,
                        uint64_t new_offset, enum lwp_status saved)
{
    struct lwp_offset_store *store = files_in(folder, layout);
    uint64_t offset = 0;
    const enum lwp_status status = load(store, key_of("reader", 7), &offset);
    if (status == LWP_STORE_EMPTY)
        assert_true(old_offset == 0 && saved != LWP_OK);
    else
        assert_int_equal(status, LWP_OK);
    assert_true(saved == LWP_OK ? offset == new_offset
                                : offset == old_offset || offset == new_offset);
    /* Whoever tries again succeeds. */
    assert_int_equal(save(store, key_of("reader", 7), new_offset), LWP_OK);
    lwp_offset_store_free(store);
}

/* Fails one of the calls that a save makes, where an offset is stored already, or for the first time;
 * true if it makes fewer. */
static bool fail_call(const char *parent, enum lwp_offset_layout layout, unsigned number,
                      uint64_t old_offset)
{
    char folder[512];
    (void)snprintf(folder, sizeof(folder), "%s/%u-%u-%u-%d", parent, layout, number,
                   (unsigned)old_offset, for_good);
    struct lwp_offset_store *store = files_in(folder, layout);
    if (old_offset)
        assert_int_equal(save(store, key_of("reader", 7), old_offset), LWP_OK);
    call_count = 0;
    failing = number;
    const enum lwp_status saved = save(store, key_of("reader", 7), old_offset + 1);
    failing = 0;
    const bool all = call_count < number;
    lwp_offset_store_free(store);
    assert_int_equal(saved, all ? LWP_OK : LWP_IO);
    check_place(folder, layout, old_offset, old_offset + 1, saved);
    return all;
}

static void every_failure_leaves_the_old_offset_or_the_new(void **state)
{
    for (unsigned i = 0; i < 8; i++) {
        const enum lwp_offset_layout layout = i & 1 ? LWP_OFFSETS_PYTHON : LWP_OFFSETS_RUST;
        const uint64_t old_offset = i & 2 ? 1000 : 0;
        unsigned number = 1;
        for_good = i & 4;
        while (!fail_call(*state, layout, number, old_offset))
            assert_true(++number < MOST_CALLS);
        /* It opens, locks, reads, writes, synchronises twice, renames. */
        assert_true(number > 7);
    }
}

static void every_failure_to_read_is_told(void **state)
{
    uint64_t offset = 77;
    unsigned number = 0;
    struct lwp_offset_store *store = files_in(*state, LWP_OFFSETS_PYTHON);
    assert_int_equal(save(store, key_of("reader", 7), 1), LWP_OK);
    do {
        call_count = 0;
        failing = ++number;
        const enum lwp_status status = load(store, key_of("reader", 7), &offset);
        assert_int_equal(status, call_count < number ? LWP_OK : LWP_IO);
        assert_int_equal(offset, call_count < number ? 1 : 77);
    } while (call_count >= number);
    failing = 0;
    assert_true(number > 2);
    lwp_offset_store_free(store);
}

static void a_folder_that_can_not_be_made_is_reported(void **state)
{
    char path[512];
    struct lwp_offset_store *store = NULL;
    put_text(*state, "file", "");
    (void)snprintf(path, sizeof(path), "%s/file/folder", (char *)*state);
    assert_int_equal(lwp_offset_store_files(path, LWP_OFFSETS_PYTHON, &store), LWP_IO);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(lwp_offset_store_files("", LWP_OFFSETS_PYTHON, &store), LWP_INVALID_ARGUMENT);
    assert_null(store);
}

static void a_folder_that_vanished_is_an_error_and_not_an_empty_store(void **state)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/gone", (char *)*state);
    struct lwp_offset_store *store = files_in(path, LWP_OFFSETS_PYTHON);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(save(store, key_of("reader", 7), 1), LWP_IO);
    lwp_offset_store_free(store);
}

/* What a store of the caller's own was asked. */
struct asked {
    int loads, saves, forgets, releases;
    uint64_t offset;
};

static enum lwp_status own_load(void *user, const struct lwp_offset_key *key, uint64_t *offset)
{
    struct asked *asked = user;
    assert_string_equal(key->consumer, "reader");
    asked->loads++;
    *offset = asked->offset;
    return LWP_OK;
}

static enum lwp_status own_save(void *user, const struct lwp_offset_key *key, uint64_t offset)
{
    struct asked *asked = user;
    assert_int_equal(key->topic_id, 7);
    asked->saves++;
    asked->offset = offset;
    return LWP_OK;
}

static enum lwp_status own_forget(void *user, const struct lwp_offset_key *key)
{
    (void)key;
    ((struct asked *)user)->forgets++;
    return LWP_ACCESS_DENIED;
}

static void own_release(void *user)
{
    ((struct asked *)user)->releases++;
}

static void a_store_of_the_caller_s_own_is_called_back(void **state)
{
    static const struct lwp_offset_store_calls calls = {own_load, own_save, own_forget,
                                                        own_release};
    struct asked asked = {.offset = 0};
    struct lwp_offset_store *store = NULL;
    uint64_t offset = 0;
    (void)state;
    assert_int_equal(lwp_offset_store_custom(&calls, &asked, &store), LWP_OK);
    assert_int_equal(save(store, key_of("reader", 7), 42), LWP_OK);
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_OK);
    assert_int_equal(offset, 42);
    asked.offset = UINT64_MAX;
    assert_int_equal(load(store, key_of("reader", 7), &offset), LWP_STORE_DAMAGED);
    assert_int_equal(forget(store, key_of("reader", 7)), LWP_ACCESS_DENIED);
    lwp_offset_store_free(store);
    assert_int_equal(asked.saves, 1);
    assert_int_equal(asked.loads, 2);
    assert_int_equal(asked.forgets, 1);
    assert_int_equal(asked.releases, 1);
    lwp_offset_store_free(NULL);
}

static void the_memory_store_has_a_limit(void **state)
{
    enum { MOST = 4096 };
    struct lwp_offset_store *store = NULL;
    (void)state;
    assert_int_equal(lwp_offset_store_memory(&store), LWP_OK);
    for (uint32_t i = 0; i < MOST; i++)
        assert_int_equal(save(store, key_of("reader", i), i), LWP_OK);
    assert_int_equal(save(store, key_of("reader", MOST), 1), LWP_FULL);
    assert_int_equal(save(store, key_of("reader", 0), 1), LWP_OK);
    assert_int_equal(forget(store, key_of("reader", 1)), LWP_OK);
    assert_int_equal(save(store, key_of("reader", MOST), 1), LWP_OK);
    lwp_offset_store_free(store);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(every_kind_of_store_gives_back_what_it_was_given),
        IN_A_FOLDER(consumers_and_topics_are_kept_apart),
        IN_A_FOLDER(the_python_layout_is_what_the_python_client_reads),
        IN_A_FOLDER(files_of_every_python_release_are_read),
        cmocka_unit_test(the_rust_client_s_numbers_for_names_are_known),
        IN_A_FOLDER(the_rust_layout_is_what_the_rust_client_reads),
        IN_A_FOLDER(a_damaged_file_is_reported_and_kept),
        IN_A_FOLDER(a_damaged_file_of_the_rust_layout_is_reported_and_kept),
        IN_A_FOLDER(what_is_no_small_regular_file_is_damaged),
        IN_A_FOLDER(two_consumers_with_one_file_are_told_apart),
        IN_A_FOLDER(a_topic_that_was_made_anew_does_not_inherit_the_place),
        IN_A_FOLDER(no_name_leads_out_of_the_folder),
        IN_A_FOLDER(a_link_is_not_followed),
        IN_A_FOLDER(names_that_can_not_be_kept_are_refused),
        IN_A_FOLDER(the_tail_sentinel_is_no_place),
        IN_A_FOLDER(processes_and_threads_on_one_file_do_not_destroy_it),
        IN_A_FOLDER(a_lock_that_is_never_given_back_ends_in_a_time_out),
        IN_A_FOLDER(a_crash_while_writing_leaves_the_old_offset),
        IN_A_FOLDER(every_failure_leaves_the_old_offset_or_the_new),
        IN_A_FOLDER(every_failure_to_read_is_told),
        IN_A_FOLDER(a_folder_that_can_not_be_made_is_reported),
        IN_A_FOLDER(a_folder_that_vanished_is_an_error_and_not_an_empty_store),
        cmocka_unit_test(a_store_of_the_caller_s_own_is_called_back),
        cmocka_unit_test(the_memory_store_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
