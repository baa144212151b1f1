/*
 * Loads from C, where one from `erl` would itself be the limit.
 *
 *     c_load NODE COOKIE echo FLIGHT MS     requests to `echo`, FLIGHT of them under way; written and read as
 *                                           ei does, a message at a time
 *     c_load NODE COOKIE bulk FLIGHT MS     the same, but all that can be is written and read at once
 *     c_load NODE COOKIE flood-in N         N messages to `sink`, until it has counted them
 *     c_load NODE COOKIE flood-out N        N messages asked of `sink`
 *     c_load NODE COOKIE idle N             N connections; prints "connected", then keeps them
 *
 * NODE "!PORT": the floor (floor.ts), frames of the same bytes over bare TCP; without echo and idle.
 * Prints what wire_load.erl returns: counts and nanoseconds, by commas.
 */
#include <ei.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BULK (256 * 1024)

static ei_cnode self;
static int fd;

static void fail(const char *what) {
  fprintf(stderr, "c_load: %s (erl_errno %d)\n", what, erl_errno);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void name_self(int number, const char *cookie) {
  char alive[64], full[256], host[128];
  struct in_addr any = {0};
  gethostname(host, sizeof host);
  host[strcspn(host, ".")] = 0;
  snprintf(alive, sizeof alive, "c_load_%d_%d", (int)getpid(), number);
  snprintf(full, sizeof full, "%s@%s", alive, host);
  if (ei_connect_xinit(&self, host, alive, full, &any, cookie, getpid())) fail("ei_connect_xinit");
}

static void connect_to(char *peer) {
  int on = 1;
  if (peer[0] == '!') {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(atoi(peer + 1));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
  } else if ((fd = ei_connect(&self, peer)) < 0) {
    fail("ei_connect");
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void write_all(const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, bytes, size);
    if (written <= 0) fail("write");
    bytes += written;
    size -= written;
  }
}

/* A frame as `Name ! Message` makes it: length, pass through, {6, From, '', Name}, the message. */
static void frame(ei_x_buff *to, const char *name, ei_x_buff *message) {
  int at = to->index;
  uint32_t length;
  ei_x_append_buf(to, "\0\0\0\0p", 5);
  ei_x_encode_version(to);
  ei_x_encode_tuple_header(to, 4);
  ei_x_encode_long(to, 6);
  ei_x_encode_pid(to, ei_self(&self));
  ei_x_encode_atom(to, "");
  ei_x_encode_atom(to, name);
  ei_x_append(to, message);
  length = htonl(to->index - at - 4);
  memcpy(to->buff + at, &length, 4);
}

static void echo_request(ei_x_buff *message) {
  erlang_ref ref;
  ei_x_new_with_version(message);
  ei_x_encode_tuple_header(message, 3);
  ei_x_encode_pid(message, ei_self(&self));
  if (ei_make_ref(&self, &ref)) fail("ei_make_ref");
  ei_x_encode_ref(message, &ref);
  ei_x_encode_atom(message, "weather");
}

static void sink_request(ei_x_buff *message, const char *format, long n) {
  ei_x_new_with_version(message);
  ei_x_encode_tuple_header(message, 2);
  ei_x_encode_pid(message, ei_self(&self));
  ei_x_format_wo_ver(message, format, n);
}

/* Whole frames by the bulk: calls back for each that is no tick, until that says it was the last. */
static void read_frames(int (*got)(const char *body, uint32_t length), void (*turn)(void)) {
  static char buffer[BULK];
  size_t held = 0;
  for (;;) {
    size_t at = 0;
    ssize_t read_now = read(fd, buffer + held, BULK - held);
    if (read_now <= 0) fail("read");
    held += read_now;
    while (held - at >= 4) {
      uint32_t length;
      memcpy(&length, buffer + at, 4);
      length = ntohl(length);
      if (held - at - 4 < length) break;
      if (length > 0 && got(buffer + at + 4, length)) return;
      at += 4 + length;
    }
    memmove(buffer, buffer + at, held - at);
    held -= at;
    if (turn != NULL) turn();
  }
}

/* --- requests under way ------------------------------------------------------------------------- */

static int flight;
static int64_t start_ns, deadline_ns, end_ns;
static int64_t *sent_at, *latencies; /* sent_at: a ring, as replies come in the order of the requests */
static long sent, answered, room;
static ei_x_buff requests;
static int request_size, due;

static void note_sent(int n, int64_t now) {
  for (; n > 0; n--) sent_at[sent++ % flight] = now;
}

static void note_answered(int64_t now) {
  if (answered == room) {
    room = room == 0 ? 1 << 20 : room * 2;
    latencies = realloc(latencies, room * sizeof *latencies);
  }
  latencies[answered] = now - sent_at[answered % flight];
  answered++;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void print_answered(void) {
  long p50 = (answered * 50 + 99) / 100, p99 = (answered * 99 + 99) / 100;
  qsort(latencies, answered, sizeof *latencies, ascending);
  printf("%ld,%lld,%lld,%lld\n", answered, (long long)(end_ns - start_ns),
         (long long)latencies[p50 - 1], (long long)latencies[p99 - 1]);
}

static void echo_by_message(void) {
  ei_x_buff request, reply;
  erlang_msg message;
  echo_request(&request);
  ei_x_new(&reply);
  for (int i = 0; i < flight; i++)
    if (ei_reg_send(&self, fd, "echo", request.buff, request.index)) fail("ei_reg_send");
  note_sent(flight, start_ns);
  while (answered < sent) {
    int got;
    reply.index = 0;
    got = ei_xreceive_msg(fd, &message, &reply);
    if (got == ERL_TICK) continue;
    if (got == ERL_ERROR) fail("ei_xreceive_msg");
    end_ns = now_ns();
    note_answered(end_ns);
    if (end_ns < deadline_ns) {
      if (ei_reg_send(&self, fd, "echo", request.buff, request.index)) fail("ei_reg_send");
      note_sent(1, end_ns);
    }
  }
}

static int bulk_got(const char *body, uint32_t length) {
  (void)body, (void)length;
  end_ns = end_ns > 0 ? end_ns : now_ns();
  note_answered(end_ns);
  if (end_ns < deadline_ns) due++;
  if (due == 0 && answered == sent) return 1;
  return 0;
}

static void bulk_turn(void) {
  int64_t now = end_ns > 0 ? end_ns : now_ns();
  if (due > 0) {
    write_all(requests.buff, (size_t)due * request_size);
    note_sent(due, now);
  }
  due = 0;
  end_ns = 0;
}

static void echo_by_bulk(void) {
  ei_x_buff message;
  echo_request(&message);
  ei_x_new(&requests);
  for (int i = 0; i < flight; i++) frame(&requests, "echo", &message);
  request_size = requests.index / flight;
  due = flight;
  bulk_turn();
  read_frames(bulk_got, bulk_turn);
}

/* --- floods ------------------------------------------------------------------------------------- */

static long count, expected;

/* {count, N} at the end of a frame; the floor answers with the same bytes. */
static int count_got(const char *body, uint32_t length) {
  for (uint32_t at = 0; at + 7 <= length; at++) {
    int index = at;
    char name[MAXATOMLEN_UTF8];
    if ((body[at] == ERL_SMALL_ATOM_UTF8_EXT || body[at] == ERL_SMALL_ATOM_EXT ||
         body[at] == ERL_ATOM_EXT || body[at] == ERL_ATOM_UTF8_EXT) &&
        !ei_decode_atom(body, &index, name) && strcmp(name, "count") == 0) {
      if (ei_decode_long(body, &index, &count)) fail("count");
      return 1;
    }
  }
  return 0;
}

static long ask_count(void) {
  ei_x_buff message, out;
  sink_request(&message, "count", 0);
  ei_x_new(&out);
  frame(&out, "sink", &message);
  write_all(out.buff, out.index);
  read_frames(count_got, NULL);
  return count;
}

static void flood_in(long n) {
  ei_x_buff message, out;
  long before, whole;
  int size, each;
  ei_x_new_with_version(&message);
  ei_x_format_wo_ver(&message, "{flood, ~i}", 100000);
  ei_x_new(&out);
  frame(&out, "sink", &message);
  size = out.index;
  each = BULK / size;
  for (int i = 1; i < each; i++) frame(&out, "sink", &message);
  before = ask_count();
  start_ns = now_ns();
  for (whole = n; whole > 0; whole -= each)
    write_all(out.buff, (size_t)size * (whole < each ? whole : each));
  if (ask_count() - before != n) fail("messages are missing");
  printf("%ld,%lld\n", n, (long long)(now_ns() - start_ns));
}

static int flood_got(const char *body, uint32_t length) {
  (void)body, (void)length;
  return --expected == 0;
}

static void flood_out(long n) {
  ei_x_buff message, out;
  sink_request(&message, "{flood, ~i}", n);
  ei_x_new(&out);
  frame(&out, "sink", &message);
  expected = n;
  start_ns = now_ns();
  write_all(out.buff, out.index);
  read_frames(flood_got, NULL);
  printf("%ld,%lld\n", n, (long long)(now_ns() - start_ns));
}

static void idle(char *peer, const char *cookie, long n) {
  for (int i = 1; i <= n; i++) {
    name_self(i, cookie);
    connect_to(peer);
  }
  printf("connected %ld\n", n);
  fflush(stdout);
  for (;;) pause();
}

int main(int argc, char **argv) {
  const char *what;
  long n;
  if (argc < 5) {
    fprintf(stderr, "usage: c_load NODE COOKIE echo|bulk|flood-in|flood-out|idle N [MS]\n");
    return 2;
  }
  what = argv[3];
  n = atol(argv[4]);
  if (ei_init()) fail("ei_init");
  if (strcmp(what, "idle") == 0) idle(argv[1], argv[2], n);
  name_self(0, argv[2]);
  connect_to(argv[1]);
  if (strcmp(what, "flood-in") == 0) {
    flood_in(n);
  } else if (strcmp(what, "flood-out") == 0) {
    flood_out(n);
  } else {
    flight = n;
    sent_at = calloc(flight, sizeof *sent_at);
    start_ns = now_ns();
    deadline_ns = start_ns + (argc > 5 ? atol(argv[5]) : 1000) * 1000000LL;
    if (strcmp(what, "echo") == 0) echo_by_message();
    else echo_by_bulk();
    print_answered();
  }
  return 0;
}
