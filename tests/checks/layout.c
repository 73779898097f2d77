/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Prints where everything lies that two processes see: shared memory, and each
 * message as bytes. Built for 32 and for 64 bits, it must print the same.
 */

#include <stdio.h>
#include <string.h>

#include "board.h"
#include "wire.h"

#define AT(type, field) \
  printf(#type "." #field " %zu\n", offsetof(struct type, field))
#define SIZE(type) printf(#type " %zu\n", sizeof(struct type))

static void
print_memory(void)
{
  SIZE(shmv_board);
  AT(shmv_board, magic), AT(shmv_board, version), AT(shmv_board, generation);
  AT(shmv_board, n_slots), AT(shmv_board, slot_size), AT(shmv_board, state);
  AT(shmv_board, first_sequence), AT(shmv_board, active);
  AT(shmv_board, latency_us), AT(shmv_board, head);
  AT(shmv_board, writer_waits), AT(shmv_board, readers), AT(shmv_board, ring);
  AT(shmv_board, slots);
  SIZE(shmv_slot_entry);
  AT(shmv_slot_entry, gen), AT(shmv_slot_entry, flags);
  AT(shmv_slot_entry, sequence), AT(shmv_slot_entry, pts);
  AT(shmv_slot_entry, duration), AT(shmv_slot_entry, capture_time);
  AT(shmv_slot_entry, offset), AT(shmv_slot_entry, offset_end);
  AT(shmv_slot_entry, size), AT(shmv_slot_entry, plane_offset);
  AT(shmv_slot_entry, stride), AT(shmv_slot_entry, n_planes);
  AT(shmv_slot_entry, crop_x), AT(shmv_slot_entry, crop_height);
  SIZE(shmv_page);
  AT(shmv_page, hold), AT(shmv_page, cursor), AT(shmv_page, armed);
  AT(shmv_page, received), AT(shmv_page, skipped), AT(shmv_page, copied);
}

/* Every byte of a message counts, so it is filled with unlike ones. */
static void
print_message(uint32_t type)
{
  static uint8_t bytes[SHMV_WIRE_MAX];
  struct shmv_message message;
  uint8_t *fill = (uint8_t *)&message.u;
  memset(&message, 0, sizeof message);
  if (type == SHMV_FORMAT) {
    struct shmv_format_message *format = &message.u.format;
    format->generation = 7;
    format->slot_size = 0x0102030405060708;
    format->pool_size = UINT64_C(0x1112131415161718);
    format->format.offset[3] = UINT64_C(0x2122232425262728);
    format->format.n_planes = 4;
  } else if (type == SHMV_WELCOME) {
    message.u.welcome.stream = UINT64_C(0x3132333435363738);
    message.u.welcome.floor = 0x41424344;
  } else if (type == SHMV_HELLO) {
    message.u.hello.version_max = 0x5152;
    message.u.hello.flags = 0x61626364;
  } else {
    fill[0] = (uint8_t)type;
  }
  message.type = type;
  message.serial = 0x71727374;
  if (type == SHMV_HELLO || type == SHMV_ACCEPTS || type == SHMV_FORMAT ||
      type == SHMV_REFUSED) {
    message.text = "text";
    message.text_size = 4;
  }
  uint32_t size = shmv_wire_encode(&message, bytes);
  printf("%s %u:", shmv_wire_type_name(type), size);
  for (uint32_t i = 0; i < size; i++)
    printf(" %02x", bytes[i]);
  printf("\n");
}

int
main(void)
{
  print_memory();
  for (uint32_t type = SHMV_HELLO; type <= SHMV_NUDGE; type++)
    print_message(type);
  return 0;
}
