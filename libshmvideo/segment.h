/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * Segments
 *
 * Owns memory that other processes see: memfds, their seals, their mappings.
 * One rule: what we map from another process is first proven to be sealed memory
 * of the announced size, so that no access to it can ever fault; what we send is
 * sealed before it leaves. Mappings are kept out of forked children and of cores.
 */

#ifndef SHMV_SEGMENT_H
#define SHMV_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

/* A segment of ours: mapped read-write here, read-only for whom fd is sent to. */
struct shmv_segment {
  int fd; /* opened read-only; -1 after shmv_segment_close_fd */
  uint8_t *data;
  size_t size;
};

/* Make a segment of size bytes (whole pages), without memory behind it yet, and
 * seal it: nobody can ever resize it, punch holes, or write but through our
 * mapping. 0 or -errno, nothing left behind. */
int shmv_segment_create(struct shmv_segment *segment, const char *name,
                        size_t size);
void shmv_segment_close_fd(struct shmv_segment *segment);
void shmv_segment_destroy(struct shmv_segment *segment);

/* Give [offset, offset + size) memory and page table entries, in small pieces, so
 * that using it later cannot fail or fault. 0, -ENOMEM, -ENOSPC, … */
int shmv_segment_populate(struct shmv_segment *segment, size_t offset,
                          size_t size);

/* The opposite kind, one reader's page: ours read-only, the reader's read-write.
 * *out_fd is to be sent and then sealed; it stays ours. */
int shmv_segment_create_page(const void **out_page, int *out_fd);

/* The reader has mapped its page: now nobody else can map it for writing. */
int shmv_segment_seal_page(int fd);

/* Map a page that a writer sent, for writing. 0, -EPROTO (not a page), -errno. */
int shmv_segment_map_page(int fd, void **out_page);

/* Prove that fd is sealed memory of this size: 0, -EPROTO, or -errno if that cannot
 * be found out. */
int shmv_segment_verify(int fd, uint64_t size);

/* Prove that at least so many bytes of a verified one have memory: as before. */
int shmv_segment_verify_memory(int fd, uint64_t size);

/* Map a verified piece read-only and pre-fault it. */
int shmv_segment_map(int fd, uint64_t offset, size_t size,
                     const void **out_data);

void shmv_segment_unmap(const void *data, size_t size);

#endif
