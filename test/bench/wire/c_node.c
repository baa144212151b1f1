/*
 * A C node with ei that serves what wire_server.erl lists, but for rpc: ei offers no DFLAG_SPAWN, so
 * callers are told `notsup` by their own runtime.
 *
 *     c_node NAME@HOST COOKIE      prints "ready PORT"; EPMD as ERL_EPMD_PORT says
 *
 * A thread per connection, each reading and writing as ei does: one message at a time.
 */
#include <ei.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ei_cnode node;
static atomic_long counted;

static void fail(const char *what) {
  fprintf(stderr, "c_node: %s (erl_errno %d)\n", what, erl_errno);
  exit(1);
}

/* {From, Ref, Term} -> {Ref, Term}: what stands behind From is copied as it is. */
static int echo(int fd, ei_x_buff *in, ei_x_buff *out) {
  int index = 0, version, arity;
  erlang_pid from;
  if (ei_decode_version(in->buff, &index, &version) ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 3 ||
      ei_decode_pid(in->buff, &index, &from))
    return 0;
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_tuple_header(out, 2);
  ei_x_append_buf(out, in->buff + index, in->index - index);
  return ei_send(fd, &from, out->buff, out->index);
}

/* {'$gen_call', {From, Tag}, Term} -> {Tag, Term}, to From: this node knows no aliases. */
static int gen_echo(int fd, ei_x_buff *in, ei_x_buff *out) {
  int index = 0, version, arity, tag;
  char name[MAXATOMLEN_UTF8];
  erlang_pid from;
  if (ei_decode_version(in->buff, &index, &version) ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 3 ||
      ei_decode_atom(in->buff, &index, name) || strcmp(name, "$gen_call") != 0 ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 2 ||
      ei_decode_pid(in->buff, &index, &from))
    return 0;
  tag = index;
  if (ei_skip_term(in->buff, &index)) return 0;
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_tuple_header(out, 2);
  ei_x_append_buf(out, in->buff + tag, in->index - tag);
  return ei_send(fd, &from, out->buff, out->index);
}

/* {kvs, {lookup, weather}}: the one key there is, so that all servers do about the same. */
static int kvs(int fd, ei_x_buff *in, ei_x_buff *out) {
  int index = 0, version, arity;
  char name[MAXATOMLEN_UTF8];
  erlang_pid from;
  if (ei_decode_version(in->buff, &index, &version) ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 2 ||
      ei_decode_pid(in->buff, &index, &from) ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 2 ||
      ei_decode_atom(in->buff, &index, name) || strcmp(name, "lookup") != 0 ||
      ei_decode_atom(in->buff, &index, name))
    return 0;
  out->index = 0;
  if (strcmp(name, "weather") == 0)
    ei_x_format(out, "{kvs, {ok, fine}}");
  else
    ei_x_format(out, "{kvs, undefined}");
  return ei_send(fd, &from, out->buff, out->index);
}

static int flood(int fd, erlang_pid *to, long n, ei_x_buff *out) {
  for (; n > 0; n--) {
    out->index = 0;
    ei_x_encode_version(out);
    ei_x_encode_tuple_header(out, 2);
    ei_x_encode_atom(out, "flood");
    ei_x_encode_long(out, n);
    if (ei_send(fd, to, out->buff, out->index)) return -1;
  }
  return 0;
}

static int binaries(int fd, erlang_pid *to, long size, long n, ei_x_buff *out) {
  char *bytes = malloc(size);
  int status = 0;
  memset(bytes, 'b', size);
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_tuple_header(out, 2);
  ei_x_encode_atom(out, "binary");
  ei_x_encode_binary(out, bytes, size);
  for (; n > 0 && status == 0; n--) status = ei_send(fd, to, out->buff, out->index);
  free(bytes);
  return status;
}

static int sink(int fd, ei_x_buff *in, ei_x_buff *out) {
  int index = 0, version, arity, type, length;
  char name[MAXATOMLEN_UTF8];
  long size, n;
  erlang_pid from;
  if (ei_decode_version(in->buff, &index, &version) ||
      ei_decode_tuple_header(in->buff, &index, &arity) || arity != 2 ||
      ei_decode_pid(in->buff, &index, &from) || ei_get_type(in->buff, &index, &type, &length)) {
    counted++;
    return 0;
  }
  if (type == ERL_SMALL_TUPLE_EXT) {
    if (ei_decode_tuple_header(in->buff, &index, &arity) ||
        ei_decode_atom(in->buff, &index, name))
      return 0;
    if (strcmp(name, "flood") == 0 && !ei_decode_long(in->buff, &index, &n))
      return flood(fd, &from, n, out);
    if (strcmp(name, "binaries") == 0 && !ei_decode_long(in->buff, &index, &size) &&
        !ei_decode_long(in->buff, &index, &n))
      return binaries(fd, &from, size, n, out);
    return 0;
  }
  out->index = 0;
  ei_x_encode_version(out);
  ei_x_encode_tuple_header(out, 2);
  ei_x_encode_atom(out, "count");
  ei_x_encode_long(out, counted);
  return ei_send(fd, &from, out->buff, out->index);
}

static void *serve(void *argument) {
  int fd = (int)(long)argument, status = 0;
  ei_x_buff in, out;
  erlang_msg message;
  ei_x_new(&in);
  ei_x_new(&out);
  while (status == 0) {
    int got;
    in.index = 0;
    got = ei_xreceive_msg(fd, &message, &in);
    if (got == ERL_TICK) continue;
    if (got == ERL_ERROR) break;
    if (message.msgtype != ERL_REG_SEND) continue;
    if (strcmp(message.toname, "echo") == 0) status = echo(fd, &in, &out);
    else if (strcmp(message.toname, "gen_echo") == 0) status = gen_echo(fd, &in, &out);
    else if (strcmp(message.toname, "sink") == 0) status = sink(fd, &in, &out);
    else if (strcmp(message.toname, "kvs") == 0) status = kvs(fd, &in, &out);
  }
  ei_close_connection(fd);
  ei_x_free(&in);
  ei_x_free(&out);
  return NULL;
}

int main(int argc, char **argv) {
  int port = 0, listening;
  char alive[256], host[256];
  struct in_addr any = {0};
  if (argc != 3 || sscanf(argv[1], "%255[^@]@%255s", alive, host) != 2) {
    fprintf(stderr, "usage: c_node NAME@HOST COOKIE\n");
    return 2;
  }
  if (ei_init() || ei_connect_xinit(&node, host, alive, argv[1], &any, argv[2], getpid()))
    fail("ei_connect_xinit");
  listening = ei_listen(&node, &port, 128);
  if (listening < 0) fail("ei_listen");
  if (ei_publish(&node, port) < 0) fail("ei_publish");
  printf("ready %d\n", port);
  fflush(stdout);
  for (;;) {
    ErlConnect peer;
    pthread_t thread;
    int fd = ei_accept(&node, listening, &peer);
    if (fd < 0) continue;
    if (pthread_create(&thread, NULL, serve, (void *)(long)fd)) fail("pthread_create");
    pthread_detach(thread);
  }
}
