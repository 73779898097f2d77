/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Test points
 *
 * Names the instants between the steps of a claim, of a path or of a slot, so that
 * a test can put a delay or a death there: it defines shmv_test_point. Only the
 * library that tests link (compiled with SHMV_TEST_POINTS) has them; in the one that
 * is installed nothing of this is left.
 */

#ifndef SHMV_TESTPOINT_H
#define SHMV_TESTPOINT_H

#ifdef SHMV_TEST_POINTS
void shmv_test_point(const char *name) __attribute__((weak));
#define SHMV_TEST_POINT(name)                                                  \
  do {                                                                         \
    if (shmv_test_point)                                                       \
      shmv_test_point(name);                                                   \
  } while (0)
#else
#define SHMV_TEST_POINT(name)                                                  \
  do {                                                                         \
  } while (0)
#endif

#endif
