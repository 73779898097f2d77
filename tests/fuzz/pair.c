/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "pair.h"

#include <string.h>

#include "script.h"
#include "session.h"

/* Messages on their way in one direction; full is EAGAIN. */
#define N_QUEUED 6

struct queue {
  uint8_t bytes[N_QUEUED][SCRIPT_MAX];
  size_t size[N_QUEUED];
  unsigned first, used;
};

struct pair {
  struct shmv_writer_session writer;
  struct shmv_reader_session reader;
  struct queue to_writer, to_reader;
  uint32_t generation; /* newest of the writer's */
  bool asked;          /* the reader has a format that it has not answered */
  bool left;           /* the reader has said BYE */
};

static bool
send(struct queue *queue, const struct shmv_message *message)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  if (queue->used == N_QUEUED)
    return false;
  unsigned i = (queue->first + queue->used++) % N_QUEUED;
  if (message->type == SHMV_FORMAT) {
    uint32_t generation = message->u.format.generation;
    queue->size[i] = script_format(queue->bytes[i], generation, generation % 3,
                                   7, generation, message->serial);
    return true;
  }
  queue->size[i] = shmv_wire_encode(message, bytes);
  FUZZ_CHECK(queue->size[i] > 0 && queue->size[i] <= SCRIPT_MAX);
  memcpy(queue->bytes[i], bytes, queue->size[i]);
  return true;
}

static bool
receive(struct queue *queue, struct shmv_message *message)
{
  if (queue->used == 0)
    return false;
  unsigned i = queue->first;
  queue->first = (i + 1) % N_QUEUED;
  queue->used--;
  FUZZ_CHECK(shmv_wire_decode(message, queue->bytes[i], queue->size[i]) == 0);
  return true;
}

static bool
writer_says(struct pair *pair)
{
  struct shmv_message message;
  if (!shmv_writer_session_next(&pair->writer, pair->generation, &message))
    return false;
  if (message.type == SHMV_FORMAT)
    message.u.format.generation = pair->generation;
  message.text = "";
  if (!send(&pair->to_reader, &message))
    return false;
  shmv_writer_session_sent(&pair->writer, &message);
  return true;
}

static bool
writer_hears(struct pair *pair)
{
  struct shmv_message message;
  if (!receive(&pair->to_writer, &message))
    return false;
  int step = shmv_writer_session_take(&pair->writer, &message);
  FUZZ_CHECK(step >= 0);
  if (step == SHMV_STEP_HELLO) {
    pair->writer.welcome = script_welcome;
    shmv_writer_session_admit(&pair->writer);
  }
  return true;
}

/* An answer always fits: there are never more of them under way than questions. */
static void
answer(struct pair *pair, const struct shmv_message *message)
{
  bool sent = send(&pair->to_writer, message);
  FUZZ_CHECK(sent);
}

static bool
reader_hears(struct pair *pair)
{
  struct shmv_message message;
  if (pair->to_writer.used > N_QUEUED / 2 || /* it could not answer */
      !receive(&pair->to_reader, &message))
    return false;
  int step = shmv_reader_session_take(&pair->reader, &message);
  FUZZ_CHECK(step >= 0);
  if (step == SHMV_STEP_PAGE && !pair->left) {
    shmv_reader_session_mapped(&pair->reader, &message);
    answer(pair, &message);
  }
  if (step == SHMV_STEP_FORMAT)
    pair->asked = true;
  return true;
}

static bool
reader_says_ready(struct pair *pair)
{
  struct shmv_message message;
  if (!pair->asked || pair->left || pair->to_writer.used == N_QUEUED)
    return false;
  shmv_reader_session_ready(&pair->reader, &message);
  answer(pair, &message);
  pair->asked = false;
  return true;
}

/* What a reader may say at any time. */
static void
reader_says(struct pair *pair, uint32_t type)
{
  struct shmv_message message = {.type = type};
  bool live = pair->reader.state == SHMV_R_LIVE;
  if ((type == SHMV_NUDGE && !live) || pair->left ||
      pair->to_writer.used > N_QUEUED / 2)
    return;
  if (type != SHMV_NUDGE)
    shmv_reader_session_say(&pair->reader, type, &message);
  message.text = "";
  answer(pair, &message);
  pair->left = type == SHMV_BYE;
}

static void
writer_wakes(struct pair *pair)
{
  struct shmv_message message = {.type = SHMV_WAKE};
  if (pair->writer.state == SHMV_W_LIVE && !pair->writer.say_welcome)
    send(&pair->to_reader, &message); /* may be lost: there is one there */
}

static void
act(struct pair *pair, uint8_t what)
{
  switch (what % 16) {
    case 0: case 1:
      writer_says(pair);
      break;
    case 2: case 3:
      writer_hears(pair);
      break;
    case 4: case 5:
      reader_hears(pair);
      break;
    case 6:
      reader_says_ready(pair);
      break;
    case 7:
      pair->generation++;
      break;
    case 8:
      pair->writer.say_end = true;
      pair->writer.end_generation = pair->generation - (what >> 7);
      break;
    case 9:
      writer_wakes(pair);
      break;
    case 10:
      reader_says(pair, SHMV_ACCEPTS);
      break;
    case 11:
      reader_says(pair, SHMV_NUDGE);
      break;
    case 12:
      if (what >> 4 == 15)
        reader_says(pair, SHMV_BYE);
      break;
    case 13:
      if (what >> 4 == 15)
        pair->writer.refusal = SHMV_REFUSED_MEMORY;
      break;
    default:
      while (writer_says(pair) || reader_hears(pair) ||
             reader_says_ready(pair) || writer_hears(pair))
        ;
      break;
  }
}

void
pair_try(struct fuzz_input *in)
{
  static struct pair pair;
  struct shmv_message message;
  memset(&pair.writer, 0, sizeof pair.writer);
  pair.to_writer.used = pair.to_reader.used = 0;
  pair.generation = 0;
  pair.asked = pair.left = false;
  shmv_reader_session_init(&pair.reader, &script_hello, &message);
  message.text = "";
  answer(&pair, &message);
  for (int i = 0; fuzz_left(in) > 0 && i < SCRIPT_STEPS; i++)
    act(&pair, fuzz_u8(in));
  act(&pair, 15);
  FUZZ_CHECK(pair.to_reader.used == 0 && pair.to_writer.used == 0);
  FUZZ_CHECK(pair.writer.state == SHMV_W_LEAVING ||
             (pair.reader.state == SHMV_R_LIVE && !pair.writer.say_end &&
              pair.reader.generation == pair.generation && !pair.asked));
}
