/* A disk that can be looked at, for LD_PRELOAD: it logs every change of the files below HOLD_DIR, or lets a call fail.
 *
 *   HOLD_DIR=folder    files that it is about
 *   HOLD_LOG=file      log of all changes and fsyncs, in order; `cuts` reconstructs from it what is on a disk after a
 *                      power cut
 *   HOLD_FAIL=CALL:K:ERRNO[:on]
 *                      the K-th CALL (read, write, sync, open, truncate) fails with this errno; with "on" all
 *                      later ones too. HOLD_HIT=file is then created.
 *
 * Calls that do not go through the C library are not seen: `cuts` takes renames and syncfs from strace.
 *
 * A record of the log: struct record, first path, second path, data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))
#define FILES 65536

struct __attribute__((packed)) record {
    char op;
    uint64_t time, inode, at, size;
    uint16_t first, second;
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char folder[PATH_MAX];
static int log_file = -1;
static char fail_call[16];
static long fail_at, fail_errno, fail_on, calls;
static unsigned char watched[FILES];

static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void) {
    const char *dir = getenv("HOLD_DIR"), *log = getenv("HOLD_LOG"), *fail = getenv("HOLD_FAIL");
    if (!dir || !realpath(dir, folder)) folder[0] = 0;
    if (log) {
        int file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        /* A number that the program does not use. */
        log_file = fcntl(file, F_DUPFD_CLOEXEC, 60000 < sysconf(_SC_OPEN_MAX) ? 60000 : 900);
    }
    if (fail) {
        char on[8] = "";
        sscanf(fail, "%15[^:]:%ld:%ld:%7s", fail_call, &fail_at, &fail_errno, on);
        fail_on = on[0] != 0;
    }
}

/* Whether this call has to fail. */
static int fails(const char *call) {
    if (!fail_at || strcmp(call, fail_call)) return 0;
    pthread_mutex_lock(&lock);
    long number = ++calls;
    pthread_mutex_unlock(&lock);
    if (number != fail_at && !(fail_on && number > fail_at)) return 0;
    const char *hit = getenv("HOLD_HIT");
    if (hit) close(REAL(open)(hit, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    errno = (int)fail_errno;
    return 1;
}

/* The absolute path without symbolic links of its folder; returns whether it is below the folder. */
static int below(int at, const char *path, char *out) {
    char copy[PATH_MAX], parent[PATH_MAX], base[PATH_MAX] = "";
    if (!folder[0] || !path) return 0;
    if (path[0] != '/') {
        char link[64];
        snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        ssize_t size = readlink(link, base, sizeof base - 1);
        if (size < 0) return 0;
        base[size] = 0;
        if ((size_t)snprintf(copy, sizeof copy, "%s/%s", base, path) >= sizeof copy) return 0;
    } else {
        if (strlen(path) >= sizeof copy) return 0;
        strcpy(copy, path);
    }
    size_t size = strlen(copy);
    while (size > 1 && (copy[size - 1] == '/' || (copy[size - 1] == '.' && copy[size - 2] == '/'))) copy[--size] = 0;
    char *name = strrchr(copy, '/');
    *name++ = 0;
    if (!realpath(copy[0] ? copy : "/", parent)) return 0;
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return 0;
    size_t root = strlen(folder);
    return !strncmp(out, folder, root) && (out[root] == '/' || !out[root]);
}

static void record(char op, uint64_t inode, uint64_t at, const char *first, const char *second,
                   const struct iovec *data, int parts) {
    if (log_file < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct record head = {op, now.tv_sec * 1000000000ull + now.tv_nsec, inode, at, 0, first ? strlen(first) : 0, second ? strlen(second) : 0};
    for (int i = 0; i < parts; i++) head.size += data[i].iov_len;
    __typeof__(&write) out = REAL(write);
    if (out(log_file, &head, sizeof head) < 0 || (first && out(log_file, first, head.first) < 0) ||
        (second && out(log_file, second, head.second) < 0))
        abort();
    for (int i = 0; i < parts; i++)
        if (out(log_file, data[i].iov_base, data[i].iov_len) != (ssize_t)data[i].iov_len) abort();
}

static int is_watched(int file) {
    return file >= 0 && file < FILES && watched[file];
}

static uint64_t inode_of(int file) {
    struct stat state;
    return fstat(file, &state) ? 0 : state.st_ino;
}

static int really_openat(int at, const char *path, int flags, mode_t mode) {
    static int (*next)(int, const char *, int, ...);
    if (!next) next = dlsym(RTLD_NEXT, "openat");
    return next(at, path, flags, mode);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    int inside = below(at, path, full);
    if (inside && fails("open")) return -1;
    pthread_mutex_lock(&lock);
    struct stat before;
    int known = inside && !stat(full, &before);
    int file = really_openat(at, path, flags, mode);
    int why = errno;
    if (file >= 0 && file < FILES) watched[file] = inside;
    if (file >= 0 && inside && (flags & O_CREAT) && !known) record('c', inode_of(file), 0, full, NULL, NULL, 0);
    if (file >= 0 && inside && (flags & O_TRUNC) && known) record('t', inode_of(file), 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return file;
}

#define OPEN(name)                                  \
    int name(const char *path, int flags, ...) {    \
        va_list more;                               \
        va_start(more, flags);                      \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                               \
        return opened(AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name)                                        \
    int name(int at, const char *path, int flags, ...) {    \
        va_list more;                                       \
        va_start(more, flags);                              \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                       \
        return opened(at, path, flags, mode);               \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    if (file == log_file && file >= 0) return 0;
    if (file >= 0 && file < FILES) watched[file] = 0;
    return REAL(close)(file);
}

static ssize_t written(int file, const struct iovec *parts, int count, off_t at, int positioned) {
    if (!is_watched(file)) return positioned ? REAL(pwritev)(file, parts, count, at) : REAL(writev)(file, parts, count);
    if (fails("write")) return -1;
    pthread_mutex_lock(&lock);
    if (!positioned) {
        struct stat state;
        at = (fcntl(file, F_GETFL) & O_APPEND) && !fstat(file, &state) ? state.st_size : lseek(file, 0, SEEK_CUR);
    }
    ssize_t size = positioned ? REAL(pwritev)(file, parts, count, at) : REAL(writev)(file, parts, count);
    int why = errno;
    ssize_t left = size;
    for (int i = 0; i < count && left > 0; i++) {
        struct iovec part = {parts[i].iov_base, left < (ssize_t)parts[i].iov_len ? (size_t)left : parts[i].iov_len};
        record('w', inode_of(file), at, NULL, NULL, &part, 1);
        at += part.iov_len;
        left -= part.iov_len;
    }
    pthread_mutex_unlock(&lock);
    errno = why;
    return size;
}

ssize_t write(int file, const void *data, size_t size) {
    if (!is_watched(file)) return REAL(write)(file, data, size);
    struct iovec part = {(void *)data, size};
    return written(file, &part, 1, 0, 0);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    return written(file, parts, count, 0, 0);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at) {
    if (!is_watched(file)) return REAL(pwrite64)(file, data, size, at);
    struct iovec part = {(void *)data, size};
    return written(file, &part, 1, at, 1);
}

ssize_t read(int file, void *data, size_t size) {
    if (is_watched(file) && fails("read")) return -1;
    return REAL(read)(file, data, size);
}

ssize_t pread64(int file, void *data, size_t size, off_t at) {
    if (is_watched(file) && fails("read")) return -1;
    return REAL(pread64)(file, data, size, at);
}

static int synced(int file, const char *call) {
    if (!is_watched(file)) return ((int (*)(int))real(call))(file);
    if (fails("sync")) return -1;
    pthread_mutex_lock(&lock);
    int result = ((int (*)(int))real(call))(file);
    struct stat state;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size < 0 ? 0 : size] = 0;
    if (!result && !fstat(file, &state))
        record(S_ISDIR(state.st_mode) ? 'd' : 's', state.st_ino, 0, path, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int file) {
    return synced(file, "fsync");
}

int fdatasync(int file) {
    return synced(file, "fdatasync");
}

int ftruncate64(int file, off_t size) {
    if (!is_watched(file)) return REAL(ftruncate64)(file, size);
    if (fails("truncate")) return -1;
    pthread_mutex_lock(&lock);
    int result = REAL(ftruncate64)(file, size);
    if (!result) record('t', inode_of(file), size, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int file, off_t size) {
    return ftruncate64(file, size);
}

static int removed(int at, const char *path, int flags) {
    char full[PATH_MAX];
    int inside = below(at, path, full);
    pthread_mutex_lock(&lock);
    int result = REAL(unlinkat)(at, path, flags);
    int why = errno;
    if (!result && inside) record('u', 0, 0, full, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return result;
}

int unlink(const char *path) {
    return removed(AT_FDCWD, path, 0);
}

int rmdir(const char *path) {
    return removed(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode) {
    char full[PATH_MAX];
    pthread_mutex_lock(&lock);
    int result = REAL(mkdir)(path, mode);
    int why = errno;
    if (!result && below(AT_FDCWD, path, full)) record('m', 0, 0, full, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = why;
    return result;
}
