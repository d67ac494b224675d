/* Load on a Unix socket that speaks newline-delimited JSON-RPC, or HTTP.

       load SOCKET|PORT CONNECTIONS IN_FLIGHT SECONDS [MARK] < request

   MARK is a text that every answer holds exactly once; a newline if it is not given.

   Opens all connections, keeps IN_FLIGHT copies of the request (one line) in the air on
   each, and after half a second of warming counts answers for SECONDS. Prints one JSON
   object; times are in microseconds. "worst_first_us" is the longest that a connection
   waited for its first answer, counted from when all were connected; "unanswered" is
   how many never got one. */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WARM_S 0.5
#define MAX_SAMPLES 20000000L

struct peer {
  int fd;
  double *sent_at; /* a ring: answers to equal calls may be counted in order */
  int head, tail;
  char *out;
  size_t out_size;
  int wants_out;
  int answered;
  char held[64]; /* the end of the last read: a mark may be cut in two */
  size_t held_size;
};

static float *samples;
static long sample_count;
static char request[1 << 16];
static size_t request_size;
static int in_flight;
static int poller;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void flush_peer(struct peer *peer) {
  ssize_t n = write(peer->fd, peer->out, peer->out_size);
  if (n < 0 && errno != EAGAIN) die("write");
  if (n > 0) {
    peer->out_size -= (size_t)n;
    memmove(peer->out, peer->out + n, peer->out_size);
  }
  int wants_out = peer->out_size > 0;
  if (wants_out != peer->wants_out) {
    struct epoll_event event = {EPOLLIN | (wants_out ? EPOLLOUT : 0), {.ptr = peer}};
    epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
    peer->wants_out = wants_out;
  }
}

static void ask(struct peer *peer, int times) {
  double now = now_s();
  for (int i = 0; i < times; i++) {
    memcpy(peer->out + peer->out_size, request, request_size);
    peer->out_size += request_size;
    peer->sent_at[peer->head] = now;
    peer->head = (peer->head + 1) % (in_flight + 1);
  }
  flush_peer(peer);
}

/* Answers in what was just read into in + 64, size bytes. */
static int count_marks(struct peer *peer, char *in, size_t size, const char *mark) {
  size_t length = strlen(mark);
  char *start = in + sizeof peer->held - peer->held_size, *end = in + sizeof peer->held + size;
  memcpy(start, peer->held, peer->held_size);
  int got = 0;
  for (char *p = start; (p = memmem(p, (size_t)(end - p), mark, length)); p += length) got++;
  size_t keep = (size_t)(end - start) < length - 1 ? (size_t)(end - start) : length - 1;
  /* A whole mark is longer than what is kept, so none is counted twice. */
  memcpy(peer->held, end - keep, keep);
  peer->held_size = keep;
  return got;
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 5 && argc != 6) return fprintf(stderr, "usage: see the top of load.c\n"), 2;
  int peers_wanted = atoi(argv[2]);
  in_flight = atoi(argv[3]);
  double seconds = atof(argv[4]);
  const char *mark = argc == 6 ? argv[5] : "\n";
  if (!*mark || strlen(mark) > 64) return fprintf(stderr, "mark too long\n"), 2;
  request_size = fread(request, 1, sizeof request, stdin);
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  struct rlimit files = {1 << 16, 1 << 16};
  if (setrlimit(RLIMIT_NOFILE, &files) && peers_wanted > 1000) perror("setrlimit");
  poller = epoll_create1(0);
  struct sockaddr_un path = {.sun_family = AF_UNIX};
  strncpy(path.sun_path, argv[1], sizeof path.sun_path - 1);
  int port = atoi(argv[1]); /* 0 for a path */
  struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct sockaddr *address = port ? (void *)&host : (void *)&path;
  socklen_t address_size = port ? sizeof host : sizeof path;
  struct peer *peers = calloc((size_t)peers_wanted, sizeof *peers);
  for (int i = 0; i < peers_wanted; i++) {
    struct peer *peer = &peers[i];
    peer->fd = socket(address->sa_family, SOCK_STREAM, 0);
    if (connect(peer->fd, address, address_size)) die("connect");
    if (port) setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    peer->sent_at = calloc((size_t)in_flight + 1, sizeof(double));
    peer->out = malloc(request_size * (size_t)(in_flight + 1));
    struct epoll_event event = {EPOLLIN, {.ptr = peer}};
    epoll_ctl(poller, EPOLL_CTL_ADD, peer->fd, &event);
  }
  double connected = now_s(), worst_first = 0, counting_since = 0, now;
  long answers = 0;
  static char in[(1 << 16) + 64];
  struct epoll_event events[512];
  for (int i = 0; i < peers_wanted; i++) ask(&peers[i], in_flight);
  for (;;) {
    now = now_s();
    if (!counting_since && now - connected > WARM_S) {
      counting_since = now;
      answers = sample_count = 0;
    }
    if (counting_since && now - counting_since > seconds) break;
    int ready = epoll_wait(poller, events, 512, 100);
    for (int i = 0; i < ready; i++) {
      struct peer *peer = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush_peer(peer);
      if (!(events[i].events & ~(unsigned)EPOLLOUT)) continue;
      ssize_t size = read(peer->fd, in + 64, sizeof in - 64);
      if (size < 0 && errno == EAGAIN) continue;
      if (size <= 0) return fprintf(stderr, "closed by the server\n"), 1;
      now = now_s();
      int got = count_marks(peer, in, (size_t)size, mark);
      for (int k = 0; k < got; k++) {
        double took = now - peer->sent_at[peer->tail];
        if (sample_count < MAX_SAMPLES) samples[sample_count++] = (float)took;
        peer->tail = (peer->tail + 1) % (in_flight + 1);
      }
      if (got && !peer->answered) {
        peer->answered = 1;
        if (now - connected > worst_first) worst_first = now - connected;
      }
      answers += got;
      if (got) ask(peer, got);
    }
  }
  int unanswered = 0;
  for (int i = 0; i < peers_wanted; i++) unanswered += !peers[i].answered;
  qsort(samples, (size_t)sample_count, sizeof *samples, compare);
#define AT(part) (sample_count ? samples[(long)((double)(sample_count - 1) * part)] * 1e6 : 0)
  printf("{\"calls\":%ld,\"seconds\":%.3f,\"calls_per_s\":%.0f,\"p50_us\":%.1f,"
         "\"p99_us\":%.1f,\"worst_us\":%.1f,\"worst_first_us\":%.0f,\"unanswered\":%d}\n",
         answers, now - counting_since, (double)answers / (now - counting_since), AT(0.5),
         AT(0.99), AT(1.0), worst_first * 1e6, unanswered);
  return 0;
}
