// A preloaded library for tests: makes file operations below one directory fail on command, and records what has
// been made durable, so that a test can take away everything that was not.
//
// INDELIBLE_FAULT_DIRECTORY  only files whose path starts with this are touched
// INDELIBLE_FAULT_COMMAND    a file: "<operation> <mode> <errno> <skip>"; missing or empty: no fault. Operation: write,
//                            sync, rename, truncate, open. Mode: lost (not done, reported lost), kept (done, reported
//                            lost), short (half done, reported lost), killbefore, killafter, killhalf (the process
//                            dies there). `skip` operations succeed first. "sync hold 0 <skip>" holds every sync after
//                            so many of files for as long as it stands there; "clock back 0 0" makes every timed wait on a condition one hour longer,
//                            as if the wall clock had been set back meanwhile.
// INDELIBLE_FAULT_JOURNAL    a file to which every completed sync and rename is appended
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int done_before;  // operations of the commanded kind that were let through
static __thread int inside;     // set while this library itself uses files

static int real_open(const char *path, int flags) {
    static int (*next)(const char *, int, ...);
    if (!next) next = dlsym(RTLD_NEXT, "open");
    return next(path, flags, 0644);
}

static ssize_t real_write(int fd, const void *bytes, size_t count) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    return next(fd, bytes, count);
}

static int watched(const char *path) {
    const char *directory = getenv("INDELIBLE_FAULT_DIRECTORY");
    return directory && strncmp(path, directory, strlen(directory)) == 0;
}

static int path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return watched(path);
}

static int dying;  // the operation is done or half done, then the process dies

static void die_if_told(void) {
    if (dying) kill(getpid(), SIGKILL);
}

// 0: no fault; 1: lost; 2: kept but reported lost; 3: short. Sets *error.
static int fault(const char *operation, int *error) {
    const char *command = getenv("INDELIBLE_FAULT_COMMAND");
    if (!command || inside) return 0;
    inside = 1;
    char text[128] = {0}, wanted[32] = {0}, mode[32] = {0};
    int skip = 0, result = 0;
    int fd = real_open(command, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        if (length > 0 && sscanf(text, "%31s %31s %d %d", wanted, mode, error, &skip) == 4
            && strcmp(wanted, operation) == 0 && strcmp(mode, "hold") != 0 && atomic_fetch_add(&done_before, 1) >= skip) {
            if (strcmp(mode, "killbefore") == 0) kill(getpid(), SIGKILL);
            dying = strcmp(mode, "killafter") == 0 || strcmp(mode, "killhalf") == 0;
            result = strcmp(mode, "lost") == 0 ? 1
                : strcmp(mode, "kept") == 0 || strcmp(mode, "killafter") == 0 ? 2 : 3;
        }
    }
    inside = 0;
    return result;
}

static void journal(const char *line) {
    const char *path = getenv("INDELIBLE_FAULT_JOURNAL");
    if (!path) return;
    inside = 1;
    int fd = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC);
    if (fd >= 0) {
        if (real_write(fd, line, strlen(line)) < 0) {}
        close(fd);
    }
    inside = 0;
}

static atomic_int syncs_done;  // of files

// Whether the command begins with these words, and so many syncs are done.
static int told(const char *words) {
    const char *command = getenv("INDELIBLE_FAULT_COMMAND");
    if (!command || inside) return 0;
    inside = 1;
    char text[128] = {0};
    int fd = real_open(command, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
        close(fd);
    }
    inside = 0;
    int skip = 0;
    return strncmp(text, words, strlen(words)) == 0
        && (sscanf(text, "%*s %*s %*d %d", &skip) != 1 || atomic_load(&syncs_done) >= skip);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *end) {
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!next) next = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec later = *end;
    if (told("clock back ")) later.tv_sec += 3600;
    return next(condition, mutex, &later);
}

static int synced(int fd, const char *name) {
    int (*next)(int) = dlsym(RTLD_NEXT, name);
    char path[4096];
    if (inside || !path_of(fd, path, sizeof path)) return next(fd);
    while (told("sync hold ")) usleep(10000);
    struct stat before;
    int known = fstat(fd, &before) == 0;  // the size before the sync: what it certainly covers
    int error = EIO, kind = fault("sync", &error);
    if (kind == 1) { errno = error; return -1; }
    int result = next(fd);
    if (result == 0 && known && S_ISREG(before.st_mode)) {
        char line[4300];
        snprintf(line, sizeof line, "S\t%lld\t%s\n", (long long)before.st_size, path);
        journal(line);
        atomic_fetch_add(&syncs_done, 1);
    }
    if (kind) { die_if_told(); errno = error; return -1; }
    return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

#define WRITER(NAME, PARAMETERS, CALL, SHORT)                                      \
    ssize_t NAME PARAMETERS {                                                      \
        static ssize_t(*next) PARAMETERS;                                          \
        if (!next) next = dlsym(RTLD_NEXT, #NAME);                                 \
        char path[4096];                                                           \
        if (inside || !getenv("INDELIBLE_FAULT_COMMAND") || !path_of(fd, path, sizeof path)) return next CALL; \
        int error = EIO, kind = fault("write", &error);                            \
        if (kind == 0) return next CALL;                                           \
        if (kind == 2) { if (next CALL < 0) {} }                                   \
        if (kind == 3) { if (SHORT < 0) {} }                                       \
        die_if_told();                                                             \
        errno = error;                                                             \
        return -1;                                                                 \
    }

WRITER(write, (int fd, const void *bytes, size_t count), (fd, bytes, count), next(fd, bytes, count / 2))
WRITER(pwrite, (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at), next(fd, bytes, count / 2, at))
WRITER(pwrite64, (int fd, const void *bytes, size_t count, off64_t at), (fd, bytes, count, at), next(fd, bytes, count / 2, at))
WRITER(writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), next(fd, parts, count > 1 ? count / 2 : 0))
WRITER(pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), next(fd, parts, count > 1 ? count / 2 : 0, at))

static int truncated(int fd, off_t size, const char *name) {
    int (*next)(int, off_t) = dlsym(RTLD_NEXT, name);
    char path[4096];
    if (inside || !path_of(fd, path, sizeof path)) return next(fd, size);
    int error = EIO, kind = fault("truncate", &error);
    if (kind == 1 || kind == 3) { errno = error; return -1; }
    int result = next(fd, size);
    if (kind) { die_if_told(); errno = error; return -1; }
    return result;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size, "ftruncate"); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size, "ftruncate64"); }

static int renamed(int from_at, const char *from, int to_at, const char *to, unsigned flags, int form) {
    int error = EIO;
    int kind = !inside && (watched(from) || watched(to)) ? fault("rename", &error) : 0;
    if (kind == 1 || kind == 3) { errno = error; return -1; }
    char line[8400];
    int noted = !inside && watched(from);
    // Before and after, because a kill may come between the rename and its line.
    if (noted) {
        snprintf(line, sizeof line, "I\t%s\t%s\n", from, to);
        journal(line);
    }
    int result;
    if (form == 0) {
        int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
        result = next(from, to);
    } else if (form == 1) {
        int (*next)(int, const char *, int, const char *) = dlsym(RTLD_NEXT, "renameat");
        result = next(from_at, from, to_at, to);
    } else {
        int (*next)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");
        result = next(from_at, from, to_at, to, flags);
    }
    if (result == 0 && noted) {
        snprintf(line, sizeof line, "R\t%s\t%s\n", from, to);
        journal(line);
    }
    if (kind) { die_if_told(); errno = error; return -1; }
    return result;
}

int rename(const char *from, const char *to) { return renamed(0, from, 0, to, 0, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) { return renamed(from_at, from, to_at, to, 0, 1); }
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return renamed(from_at, from, to_at, to, flags, 2);
}

#define OPENER(NAME)                                                               \
    int NAME(const char *path, int flags, ...) {                                   \
        static int (*next)(const char *, int, ...);                                \
        if (!next) next = dlsym(RTLD_NEXT, #NAME);                                 \
        mode_t mode = 0;                                                           \
        if (flags & (O_CREAT | O_TMPFILE)) {                                       \
            va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); \
        }                                                                          \
        int error = EIO;                                                           \
        int kind = !inside && (flags & O_CREAT) && watched(path) ? fault("open", &error) : 0; \
        if (kind == 1 || kind == 3) { errno = error; return -1; }                  \
        int fd = next(path, flags, mode);                                          \
        if (kind == 2) { die_if_told(); if (fd >= 0) close(fd); errno = error; return -1; }       \
        return fd;                                                                 \
    }

OPENER(open)
OPENER(open64)
