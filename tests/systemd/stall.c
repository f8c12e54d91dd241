/* Preloaded: while $STALL_FLAG exists, fdatasync hangs ("hang" in the file) or fails with EIO ("eio").
 * $STALL_FLAG.hanging appears as soon as a call hangs, so that a test need not guess. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int asked(const char *flag, char *what, size_t size)
{
    int file = open(flag, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = read(file, what, size - 1);
    close(file);
    what[got > 0 ? got : 0] = 0;
    return 1;
}

int fdatasync(int descriptor)
{
    const char *flag = getenv("STALL_FLAG");
    char what[8], marker[4096];
    struct timespec pause = {0, 10 * 1000 * 1000};

    while (flag && asked(flag, what, sizeof what)) {
        if (!strcmp(what, "eio")) {
            errno = EIO;
            return -1;
        }
        snprintf(marker, sizeof marker, "%s.hanging", flag);
        int file = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0)
            close(file);
        nanosleep(&pause, NULL);
    }
    return (int)syscall(SYS_fdatasync, descriptor);
}
