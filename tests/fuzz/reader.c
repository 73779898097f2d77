/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * The files by which a reader touches shared memory, once more, in the world of the
 * fuzzer (world.h): every load of a shared word is its chance to change one.
 */

#include "os.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "board.h"
#include "world.h"

#define shmv_load(word) world_load(word)
#define shmv_peek(word) world_load(word)
#define shmv_store(word, value) world_store(word, value)
#define calloc(n, size) world_calloc(n, size)
#define strndup(text, size) world_strndup(text, size)
#define close(fd) world_close(fd)
#define shutdown(fd, how) world_shutdown(fd, how)
#define poll(fds, n, timeout) world_poll(fds, n, timeout)
#define eventfd(value, flags) world_eventfd(value, flags)
#define eventfd_write(fd, value) world_eventfd_write(fd, value)

#include "../../libshmvideo/slot.c"
#include "../../libshmvideo/view.c"
#include "../../libshmvideo/link.c"
#include "../../libshmvideo/link-frames.c"
