/* One event to many websocket subscribers: how long until the last one has it.

       fanout PORT SUBSCRIBERS EVENTS LOOK_US

   Opens SUBSCRIBERS websockets at ws://127.0.0.1:PORT/ws that subscribe to the topic
   "wallet", and one more that calls "publish". Its answer holds committed_ns, when the
   server's transaction was done by CLOCK_MONOTONIC, which all processes share. Prints
   one JSON object with a line for each event, in microseconds: from the commit to the
   first and to the last subscriber's frame, and from asking to the last. With LOOK_US 0
   this process sleeps until there is a frame; waking it for each costs the sender a
   third of its time, which subscribers on other machines would not cost. Else it looks
   every LOOK_US microseconds and nobody has to wake it. */
#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 30

static char in[1 << 16];

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

/* Reads until the text stands in what came; one answer at a time is on its way. */
static void read_until(int fd, const char *text) {
  size_t size = 0;
  do {
    ssize_t got = read(fd, in + size, sizeof in - 1 - size);
    if (got <= 0) die(text);
    size += (size_t)got;
    in[size] = 0;
  } while (!memmem(in, size, text, strlen(text)));
}

/* One masked text frame; with a mask of zeros the text stays as it is. */
static void say(int fd, const char *text) {
  char frame[256];
  size_t size = strlen(text);
  if (size > 125) exit(2);
  frame[0] = (char)0x81;
  frame[1] = (char)(0x80 | size);
  memset(frame + 2, 0, 4);
  memcpy(frame + 6, text, size);
  if (write(fd, frame, size + 6) != (ssize_t)size + 6) die("write");
}

static int open_websocket(int port) {
  struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void *)&host, sizeof host)) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  char head[256];
  int size = snprintf(head, sizeof head,
                      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                      port);
  if (write(fd, head, (size_t)size) != size) die("write");
  read_until(fd, "\r\n\r\n");
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: see the top of fanout.c\n"), 2;
  int port = atoi(argv[1]), subscribers = atoi(argv[2]), events = atoi(argv[3]);
  useconds_t look_us = (useconds_t)atoi(argv[4]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int poller = epoll_create1(0);
  char *has_it = calloc((size_t)subscribers, 1);
  int *fds = calloc((size_t)subscribers, sizeof *fds);
  int publisher = open_websocket(port);
  double began = now_us();
  for (int i = 0; i < subscribers; i++) {
    fds[i] = open_websocket(port);
    say(fds[i], "{\"jsonrpc\":\"2.0\",\"method\":\"events.subscribe\","
                "\"params\":{\"topics\":[\"wallet\"]},\"id\":1}");
    read_until(fds[i], "oldest_seq");
    struct epoll_event event = {EPOLLIN, {.u32 = (uint32_t)i}};
    epoll_ctl(poller, EPOLL_CTL_ADD, fds[i], &event);
  }
  printf("{\"subscribers\":%d,\"connect_s\":%.2f,\"events\":[", subscribers,
         (now_us() - began) * 1e-6);
  for (int round = 0; round < events; round++) {
    usleep(200000); /* let both sides come to rest */
    memset(has_it, 0, (size_t)subscribers);
    int missing = subscribers;
    double first = 0, last = 0, asked = now_us();
    say(publisher, "{\"jsonrpc\":\"2.0\",\"method\":\"publish\",\"id\":2}");
    while (missing) {
      struct epoll_event ready[512];
      if (look_us) usleep(look_us);
      int count = epoll_wait(poller, ready, 512, look_us ? 0 : PATIENCE_S * 1000);
      if (count < 0 || (!count && now_us() - asked > PATIENCE_S * 1e6)) die("epoll_wait");
      for (int i = 0; i < count; i++) {
        uint32_t who = ready[i].data.u32;
        ssize_t size = read(fds[who], in, sizeof in);
        if (size <= 0) die("a subscriber was dropped");
        if (has_it[who] || !memmem(in, (size_t)size, "wallet_id", 9)) continue;
        has_it[who] = 1;
        missing--;
        last = now_us();
        if (!first) first = last;
      }
    }
    read_until(publisher, "committed_ns");
    double committed = atof(strstr(in, "committed_ns") + strlen("committed_ns\":")) * 1e-3;
    printf("%s{\"first_us\":%.0f,\"last_us\":%.0f,\"asked_us\":%.0f}", round ? "," : "",
           first - committed, last - committed, last - asked);
  }
  printf("]}\n");
  return 0;
}
