/* SPDX-License-Identifier: Apache-2.0 */
/* ready PORT PATH ROUNDS COMMAND [ARG...] - the time from starting a server to its first 200 for
 * GET PATH on 127.0.0.1:PORT: the median of ROUNDS, in milliseconds. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 101
#define PATIENCE_MS 10000

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool answers(int port, const char *path)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[512];
    ssize_t len = -1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
        len = snprintf(text, sizeof(text),
                       "GET %s HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", path);
        len = write(fd, text, (size_t)len) == len ? read(fd, text, sizeof(text)) : -1;
    }
    close(fd);
    return len > 12 && memcmp(text + 8, " 200", 4) == 0;
}

static pid_t start(char **command)
{
    pid_t pid = fork();
    int null;

    if (pid != 0)
        return pid;
    null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    execvp(command[0], command);
    _exit(127);
}

/* Below zero: it did not come up. */
static double measure(int port, const char *path, char **command)
{
    const struct timespec step = {.tv_nsec = 200000};
    double begin = now_ms(), took = -1;
    pid_t pid = start(command);

    while (took < 0 && now_ms() - begin < PATIENCE_MS && waitpid(pid, NULL, WNOHANG) == 0) {
        if (answers(port, path))
            took = now_ms() - begin;
        else
            nanosleep(&step, NULL);
    }
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return took;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    double took[ROUNDS_MAX];
    int rounds = argc > 4 ? atoi(argv[3]) : 0;

    if (rounds < 1 || rounds > ROUNDS_MAX)
        return 2;
    for (int i = 0; i < rounds; i++) {
        took[i] = measure(atoi(argv[1]), argv[2], argv + 4);
        if (took[i] < 0)
            return 1;
    }
    qsort(took, (size_t)rounds, sizeof(*took), by_size);
    printf("%.1f\n", took[rounds / 2]);
    return 0;
}
