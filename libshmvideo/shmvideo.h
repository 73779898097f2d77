/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

/*
 * libshmvideo: one program shows raw video frames to any number of others,
 * without copying them, through a socket path. A writer makes a share at a path and
 * publishes frames; readers connect in any order, look at frames in place (read-only
 * memory), and give them back. Nobody can hold anybody up or hurt anybody. Read this
 * file from top to bottom: it is in the order of calls.
 *
 * What the library does to your process: it starts no thread (but to close what a hostile
 * peer sent), installs no signal handler, prints nothing, calls back only your log
 * function, on the thread that called it. Sends never block nor raise SIGPIPE. Descriptors
 * are close-on-exec; mappings are not inherited by fork and not dumped in cores.
 *
 * Errors: a call returns 0 or a positive outcome named below, or a negative errno
 * (docs/errors.md). Calls that fail for reasons a person must know also fill a struct
 * shmvideo_error. Threads: each call says "any thread" or "one thread at a time" (per
 * object; the caller sees to it). Times are nanoseconds, sizes bytes or pixels.
 */

#ifndef SHMVIDEO_H
#define SHMVIDEO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define SHMVIDEO_VERSION_MAJOR 0
#define SHMVIDEO_VERSION_MINOR 1
#define SHMVIDEO_VERSION_MICRO 0

/* ---- Outcomes and errors ------------------------------------------------- */
/** What a call that went well found. */
enum shmvideo_outcome {
  SHMVIDEO_AGAIN = 0,      /**< nothing now: poll the descriptor, dispatch */
  SHMVIDEO_FRAME = 1,      /**< a frame, or a slot, was handed over */
  SHMVIDEO_NEW_FORMAT = 2, /**< the frames that follow have a new format */
  SHMVIDEO_END = 3,        /**< the writer said end of stream; told once */
  SHMVIDEO_LOST = 4,       /**< the writer is gone without a word; told once */
  SHMVIDEO_WISH = 5        /**< of dispatch: see shmvideo_writer_get_wish */
};

/** Why a call failed, for a person. Filled only when the call fails; wherever a
 * call takes one, NULL is allowed. */
struct shmvideo_error {
  int code;           /**< the same negative errno as the call returned */
  int pid;            /**< process on the other side, 0 when there is none */
  char message[1024]; /**< what failed, where (path), why */
  char advice[192];   /**< what to do about it; may be empty */
};

/** Short text for a negative errno as this library means it. Any thread. */
const char *shmvideo_strerror(int code);

enum shmvideo_log_level {
  SHMVIDEO_LOG_ERROR = 1, SHMVIDEO_LOG_WARNING, SHMVIDEO_LOG_INFO, SHMVIDEO_LOG_DEBUG
};

/** Receives log lines (no newline), on the thread and during the call that caused
 * them; it must not call the object. */
typedef void (*shmvideo_log_func)(void *user, enum shmvideo_log_level level,
                                  const char *line);

/* ---- Formats ------------------------------------------------------------- */
#define SHMVIDEO_MAX_PLANES 4
#define SHMVIDEO_TIME_NONE UINT64_MAX /**< a time or offset that is not known */

/** Common pixel formats. Names and numbers are those of GStreamer's GstVideoFormat;
 * shmvideo_pixel_format_from_name knows them all. */
enum shmvideo_pixel_format {
  SHMVIDEO_FORMAT_UNKNOWN = 0, SHMVIDEO_FORMAT_I420 = 2, SHMVIDEO_FORMAT_YV12 = 3,
  SHMVIDEO_FORMAT_YUY2 = 4, SHMVIDEO_FORMAT_UYVY = 5, SHMVIDEO_FORMAT_RGBx = 7,
  SHMVIDEO_FORMAT_BGRx = 8, SHMVIDEO_FORMAT_xRGB = 9, SHMVIDEO_FORMAT_xBGR = 10,
  SHMVIDEO_FORMAT_RGBA = 11, SHMVIDEO_FORMAT_BGRA = 12, SHMVIDEO_FORMAT_ARGB = 13,
  SHMVIDEO_FORMAT_ABGR = 14, SHMVIDEO_FORMAT_RGB = 15, SHMVIDEO_FORMAT_BGR = 16,
  SHMVIDEO_FORMAT_Y42B = 18, SHMVIDEO_FORMAT_YVYU = 19, SHMVIDEO_FORMAT_Y444 = 20,
  SHMVIDEO_FORMAT_NV12 = 23, SHMVIDEO_FORMAT_NV21 = 24, SHMVIDEO_FORMAT_GRAY8 = 25,
  SHMVIDEO_FORMAT_GRAY16_LE = 27, SHMVIDEO_FORMAT_A420 = 34,
  SHMVIDEO_FORMAT_NV16 = 51, SHMVIDEO_FORMAT_I420_10LE = 43,
  SHMVIDEO_FORMAT_P010_10LE = 62, SHMVIDEO_FORMAT_RGB10A2_LE = 86,
  SHMVIDEO_FORMAT_RGBA64_LE = 104
};

/** Scan type; numbers as GstVideoInterlaceMode. */
enum shmvideo_interlace_mode {
  SHMVIDEO_PROGRESSIVE, SHMVIDEO_INTERLEAVED, SHMVIDEO_MIXED,
  SHMVIDEO_FIELDS, SHMVIDEO_ALTERNATE
};

/** What the alpha channel means. */
enum shmvideo_alpha_mode {
  SHMVIDEO_ALPHA_NONE, SHMVIDEO_ALPHA_STRAIGHT, SHMVIDEO_ALPHA_PREMULTIPLIED
};

/** Where chroma samples sit, OR-ed; 0 unknown. As GstVideoChromaSite. */
enum shmvideo_chroma_site {
  SHMVIDEO_CHROMA_CENTERED = 1, SHMVIDEO_CHROMA_H_COSITED = 2,
  SHMVIDEO_CHROMA_V_COSITED = 4, SHMVIDEO_CHROMA_ALT_LINE = 8
};

/** What the frames are and where their planes lie. Zero means "not said" or the usual:
 * a writer may fill only pixel_format, width, height and the rate. The layout of one
 * frame may differ from the format's: see the frame. */
struct shmvideo_format {
  uint32_t pixel_format;      /**< enum shmvideo_pixel_format */
  uint32_t width, height;     /**< pixels, at least 1 */
  uint32_t fps_n, fps_d;      /**< frames per second; 0/1: variable or unknown */
  uint32_t max_fps_n, max_fps_d; /**< bound when fps varies; 0/1: none said */
  uint32_t par_n, par_d;      /**< pixel aspect ratio; 1/1: square */
  uint32_t interlace_mode;    /**< enum shmvideo_interlace_mode */
  uint32_t field_order;       /**< 0 unknown, 1 top first, 2 bottom first */
  uint32_t color_range;       /**< 0 unknown, 1 full (0-255), 2 limited */
  uint32_t color_matrix;      /**< H.273 MatrixCoefficients; 2: unspecified */
  uint32_t color_transfer;    /**< H.273 TransferCharacteristics; 2: unsp. */
  uint32_t color_primaries;   /**< H.273 ColourPrimaries; 2: unspecified */
  uint32_t chroma_site;       /**< enum shmvideo_chroma_site, OR-ed */
  uint32_t alpha_mode;        /**< enum shmvideo_alpha_mode */
  uint32_t views;             /**< pictures per frame (multiview); 1: ordinary */
  uint32_t n_planes, reserved; /**< 1 to 4; 0 */
  uint32_t stride[SHMVIDEO_MAX_PLANES]; /**< bytes from row to row; in tiled formats
                                           as in GstVideoInfo (tile counts) */
  uint64_t offset[SHMVIDEO_MAX_PLANES]; /**< bytes from the frame's start */
  uint64_t size;              /**< bytes of one frame, all planes */
};

/** Name of a pixel format, "RGBA" say; NULL if unknown. Any thread. */
const char *shmvideo_pixel_format_name(uint32_t pixel_format);

/** Pixel format of a name (letter case counts), 0 if unknown. Any thread. */
uint32_t shmvideo_pixel_format_from_name(const char *name);

/** Fill planes, strides, offsets and size with GStreamer's default layout, and empty
 * rates, pixel aspect, views and alpha mode with the usual. Any thread. 0, -EOVERFLOW,
 * -EMEDIUMTYPE (unknown pixel format), -EINVAL (no width or height). */
int shmvideo_format_set_default_layout(struct shmvideo_format *);

/** Read fixed "video/x-raw" caps text into a format, with its default layout. Any
 * thread. 0, -EMEDIUMTYPE (no raw video, unknown format), -EINVAL (no fixed caps). */
int shmvideo_format_from_caps(struct shmvideo_format *format, const char *caps,
    struct shmvideo_error *error);

/** Write a format as canonical caps text. Any thread. Its length, -ENOSPC, -EINVAL. */
int shmvideo_format_to_caps(const struct shmvideo_format *format, char *text,
    size_t text_size);

/** Frame flags, OR-ed. DISCONT: does not follow the frame before. INTERLACED: of a mixed
 * stream, this one. ONEFIELD: one only (with TFF: the top). CAPTURE_IS_PUBLISH:
 * capture_time is the instant of publishing, no better one was known. */
enum shmvideo_frame_flags {
  SHMVIDEO_FLAG_DISCONT = 1 << 0, SHMVIDEO_FLAG_GAP = 1 << 1,
  SHMVIDEO_FLAG_CORRUPTED = 1 << 2, SHMVIDEO_FLAG_DROPPABLE = 1 << 3,
  SHMVIDEO_FLAG_MARKER = 1 << 4, SHMVIDEO_FLAG_RESYNC = 1 << 5,
  SHMVIDEO_FLAG_NON_DROPPABLE = 1 << 6, SHMVIDEO_FLAG_DELTA_UNIT = 1 << 7,
  SHMVIDEO_FLAG_INTERLACED = 1 << 8, SHMVIDEO_FLAG_TFF = 1 << 9,
  SHMVIDEO_FLAG_RFF = 1 << 10, SHMVIDEO_FLAG_ONEFIELD = 1 << 11,
  SHMVIDEO_FLAG_MULTIPLE_VIEW = 1 << 12, SHMVIDEO_FLAG_FIRST_IN_BUNDLE = 1 << 13,
  SHMVIDEO_FLAG_CAPTURE_IS_PUBLISH = 1 << 16
};

/* ---- Writing ------------------------------------------------------------- */
struct shmvideo_writer; /**< a share, as its writer sees it */

/** How to make a share. Zero means the default. */
struct shmvideo_writer_config {
  size_t size;      /**< sizeof this struct */
  const char *path; /**< where readers find it: with a slash a path of at most 107
                       bytes; a bare name means $XDG_RUNTIME_DIR/shmvideo/NAME
                       (/tmp/shmvideo-UID/NAME if that variable is unset) */
  uint32_t perms;   /**< mode of the socket, default 0600 */
  uint32_t backpressure;    /**< not 0: wait for lossless readers */
  uint64_t backpressure_timeout; /**< ns until one is demoted to latest; default 5 s */
  uint64_t max_memory;  /**< bytes at most; default the larger of 1 GiB, 12 frames */
  uint32_t max_lent;    /**< slots out in this process at most; default 16 */
  uint32_t max_readers;  /**< default and most: 128 */
  uint32_t negotiate; /**< not 0: readers that cannot take the format may wish for
                         another (get_wish); 0: they are refused */
  uint64_t wish_interval; /**< ns from one wish to the next; default 1 s */
  shmvideo_log_func log; /**< NULL: silent */
  void *log_user;
};
#define SHMVIDEO_WRITER_CONFIG_INIT \
  { sizeof(struct shmvideo_writer_config), NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL }

/** Make a share: from now on readers can connect, and learn the format when it is
 * set. Takes over a path left behind by a dead writer. Any thread.
 * @retval -EADDRINUSE a living writer has the path (its pid is in the error)
 * @retval -EEXIST something that is no socket is at the path; it is left alone
 * @retval -ENOENT, -EACCES, -ENAMETOOLONG, -EPERM, … as the error text explains */
int shmvideo_writer_new(const struct shmvideo_writer_config *config,
    struct shmvideo_error *error, struct shmvideo_writer **out_writer);

/** Leave: readers learn that the writer is gone (SHMVIDEO_LOST). The path is removed
 * if still ours. Slots still out stay valid. NULL is allowed. Alone on the writer. */
void shmvideo_writer_free(struct shmvideo_writer *writer);

/** Tell all readers that the stream ended; frames may follow. Any thread. */
void shmvideo_writer_end(struct shmvideo_writer *writer);

/** Descriptor that is readable when dispatch has something to do. */
int shmvideo_writer_get_fd(struct shmvideo_writer *writer);

/** Let readers in and out. Never blocks. One thread at a time, beside "any thread"
 * calls. Publishing does not need it, joining readers do. @retval 0 done @retval
 * SHMVIDEO_WISH the same, and get_wish has news @retval <0 the share is broken */
int shmvideo_writer_dispatch(struct shmvideo_writer *writer);

/** The format that readers wish for: one that all of them can take, or have agreed
 * to take, nearest to the present one. Set it, or refuse; a wish is over when its
 * reader is content or gone. As dispatch.
 * @param offers caps text of all that this writer can make, NULL: anything; who
 *   wants nothing of that is refused @param caps where the fixed caps text goes
 * @retval 1 a wish @retval 0 none (any more) @retval -EAGAIN another thread
 *   dispatches: try again @retval -ENOSPC, -ENOMEM, -EINVAL offers is no caps */
int shmvideo_writer_get_wish(struct shmvideo_writer *writer, const char *offers,
    char *caps, size_t caps_size);

/** The present wish cannot be met: its reader is refused. Any thread. */
void shmvideo_writer_refuse_wish(struct shmvideo_writer *writer);

/** Say what the coming frames are. A change gives all readers a new format; slots
 * acquired before can then only be released. One thread at a time; others may acquire,
 * publish and release meanwhile.
 * @param format what it is; if size is 0, planes are laid out as readers wish
 * @param caps its full text, or NULL to have it made from the format
 * @retval -EMEDIUMTYPE unknown pixel format @retval -EINVAL contradiction
 * @retval -ENOMEM, -E2BIG not enough memory, or max_memory holds too few frames */
int shmvideo_writer_set_format(struct shmvideo_writer *writer,
    const struct shmvideo_format *format, const char *caps,
    struct shmvideo_error *error);

/** A place for one frame in shared memory, to be filled by its holder. */
struct shmvideo_slot {
  uint8_t *data; /**< writable, page-aligned */
  size_t size;   /**< bytes at data, at least the format's size */
  uint32_t generation; /**< which format it belongs to */
};

/** Take a slot to draw the next frame into. Any thread. Never waits.
 * @retval 1 taken: publish it or release it
 * @retval 0 none is free (max_lent are out, or lossless readers need the rest),
 *   *out_slot is NULL @retval -EINVAL no format yet */
int shmvideo_writer_acquire(struct shmvideo_writer *writer,
    struct shmvideo_slot **out_slot);

/** As acquire, but waits for lossless readers when there is backpressure, each up to its
 * timeout, dispatching unless another thread does. Any thread. @param to_copy not 0: to
 * copy into and publish at once, two slots beyond max_lent @param cancel_fd ends the
 * wait when readable, -1 for none @retval -ECANCELED it was */
int shmvideo_writer_acquire_wait(struct shmvideo_writer *writer, int to_copy,
    int cancel_fd, struct shmvideo_slot **out_slot);

/** What goes with one frame. Unknown times are SHMVIDEO_TIME_NONE. */
struct shmvideo_frame_info {
  size_t size;           /**< sizeof this struct */
  uint64_t pts;          /**< ns in the writer's stream */
  uint64_t duration;     /**< ns */
  uint64_t capture_time; /**< CLOCK_MONOTONIC ns; NONE: now, and flagged so */
  uint64_t offset, offset_end; /**< the producer's own counting */
  uint32_t flags;        /**< enum shmvideo_frame_flags, OR-ed */
  uint32_t crop_x, crop_y, crop_width, crop_height; /**< width 0: no crop */
  uint32_t n_planes;     /**< 0: planes lie as the format says */
  uint32_t stride[SHMVIDEO_MAX_PLANES];
  uint64_t plane_offset[SHMVIDEO_MAX_PLANES]; /**< bytes from the slot's data */
};
#define SHMVIDEO_FRAME_INFO_INIT \
  { sizeof(struct shmvideo_frame_info), UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, \
    UINT64_MAX, 0, 0, 0, 0, 0, 0, {0}, {0} }

/** Show a filled slot to all readers and give it up. Any thread.
 * @param info may be NULL: no times, no flags
 * @retval 0 shown @retval -ESTALE the slot's pool was replaced (format change, last
 *   reader gone): still yours, acquire another @retval -EINVAL the planes leave the
 *   slot, or it was published before; still yours */
int shmvideo_writer_publish(struct shmvideo_writer *writer,
    struct shmvideo_slot *slot, const struct shmvideo_frame_info *info);

/** As publish, but the slot stays out, not to be written, until released: when
 * others in this process may still look at it. */
int shmvideo_writer_publish_kept(struct shmvideo_writer *writer,
    struct shmvideo_slot *slot, const struct shmvideo_frame_info *info);

/** Give a slot (or NULL) back; what was not published is discarded. Any thread,
 * also after the writer was freed. */
void shmvideo_slot_release(struct shmvideo_slot *slot);

/** Copy a frame into a slot and publish it. Any thread. planes and strides: where
 * each plane of the present format starts, and its bytes from row to row; info may
 * be NULL, its layout is ignored. 1 shown, 0 no slot free, <0 as acquire. */
int shmvideo_writer_send(struct shmvideo_writer *writer,
    const uint8_t *const *planes, const uint32_t *strides,
    const struct shmvideo_frame_info *info);

/** Tell readers that frames are shown so long (ns) after capture. Any thread. */
void shmvideo_writer_set_latency(struct shmvideo_writer *writer,
    uint64_t latency);

/** Connected readers. Any thread. */
uint32_t shmvideo_writer_get_n_readers(struct shmvideo_writer *writer);

struct shmvideo_writer_stats {
  uint64_t frames;  /**< published */
  uint64_t bytes;   /**< published */
  uint64_t refused; /**< readers turned away */
  uint64_t memory;  /**< bytes of frame memory in use, all formats alive */
  uint32_t n_readers, slots_active, slots_out, stride_align; /**< as readers wish */
};
void shmvideo_writer_get_stats(struct shmvideo_writer *writer,
    struct shmvideo_writer_stats *out);

/** One connected reader. The counters are what the reader says of itself. */
struct shmvideo_reader_info {
  uint64_t id; /**< never used twice in a writer's life */
  int pid;     /**< 0 if in a foreign pid namespace */
  uint32_t uid, policy; /**< enum shmvideo_policy, as it is now */
  uint32_t depth, max_holds;
  uint32_t received, skipped, copied, holding; /**< frames; wrap at 2^32 */
};

/** Fill up to n entries; returns how many there are. Any thread. */
uint32_t shmvideo_writer_get_readers(struct shmvideo_writer *writer,
    struct shmvideo_reader_info *out, uint32_t n);

/* ---- Reading ------------------------------------------------------------- */
struct shmvideo_reader; /**< a follower of a path, through all its writers */

/** What to do about frames that come faster than they are taken. */
enum shmvideo_policy {
  SHMVIDEO_LATEST = 0,  /**< skip frames older than the last `depth` */
  SHMVIDEO_LOSSLESS = 1 /**< have the writer wait, if it allows that */
};

/** How to read a share. Zero means the default. */
struct shmvideo_reader_config {
  size_t size; /**< sizeof this struct */
  const char *path; /**< as the writer's */
  uint32_t policy;  /**< enum shmvideo_policy */
  uint32_t depth;   /**< latest: frames that may wait; default 4, 1 (least delay) to 32 */
  uint32_t min_holds, max_holds; /**< frames held at once, needed and wished;
                       default 1 and 2, at most 64; the writer may grant less */
  const char *accepts; /**< caps text of all that can be taken, best first; NULL: any */
  uint32_t flexible; /**< not 0: the format may change for other readers' sake */
  uint32_t stride_align; /**< wish for strides and planes at multiples of so many
                            bytes, a power of 2 up to 4096; see the status */
  uint64_t spin; /**< ns for which wait looks before it sleeps; default 0, at most 10^8 */
  shmvideo_log_func log; /**< NULL: silent */
  void *log_user;
};
#define SHMVIDEO_READER_CONFIG_INIT \
  { sizeof(struct shmvideo_reader_config), NULL, 0, 0, 0, 0, NULL, 0, 0, 0, NULL, NULL }

/** Follow a path: connects at once or whenever a writer comes. Any thread.
 * @retval -EINVAL, -ENAMETOOLONG the path or the accepts text is unusable
 * @retval -ENOMEM, -EMFILE, … */
int shmvideo_reader_new(const struct shmvideo_reader_config *config,
    struct shmvideo_error *error, struct shmvideo_reader **out_reader);

/** Say anew what can be taken (NULL: anything). If the present format is not in it,
 * another will come (NEW_FORMAT) or acquire fails with -EMEDIUMTYPE; frames of the
 * present one come until then. As acquire. 0, -EINVAL (no caps text), -ENOMEM */
int shmvideo_reader_set_accepts(struct shmvideo_reader *reader,
    const char *accepts, struct shmvideo_error *error);

/** Stop reading. Frames still held stay intact until released. NULL is allowed. Alone
 * on the reader. */
void shmvideo_reader_free(struct shmvideo_reader *reader);

/** Readable when dispatch has something to do. */
int shmvideo_reader_get_fd(struct shmvideo_reader *reader);

/** Take in what the descriptor announced. Never blocks. One thread at a time with
 * acquire and wait. 0 done: acquire until it says nothing; <0: get_error explains */
int shmvideo_reader_dispatch(struct shmvideo_reader *reader);

/** A frame, readable in place until it is released. Pixels cannot change while held;
 * a hostile writer could still change them: parse nothing out of them unguarded. */
struct shmvideo_frame {
  const struct shmvideo_format *format; /**< borrowed from the frame */
  const char *caps;                     /**< its text, borrowed too */
  const uint8_t *data; /**< where the frame's memory starts */
  uint64_t size;       /**< bytes readable at data */
  uint32_t n_planes;
  uint32_t stride[SHMVIDEO_MAX_PLANES];      /**< bytes */
  uint64_t plane_offset[SHMVIDEO_MAX_PLANES]; /**< bytes from data */
  uint64_t stream;   /**< random number of the writer's run */
  uint64_t sequence; /**< counts the writer's frames from 1 */
  uint64_t pts, duration, capture_time, offset, offset_end; /**< see the info */
  uint32_t flags, crop_x, crop_y, crop_width, crop_height;
  uint32_t skipped; /**< frames between the one delivered before and this */
};

/** Take the next frame that this reader's policy has a right to. Never blocks. One
 * thread at a time with dispatch. Any outcome but a frame leaves *out_frame NULL.
 * @retval SHMVIDEO_FRAME *out_frame is yours until released, on any thread
 * @retval SHMVIDEO_AGAIN nothing new, no writer, or (see get_status) all holds are
 *   in use: poll the descriptor, dispatch, try again
 * @retval SHMVIDEO_NEW_FORMAT, SHMVIDEO_END, SHMVIDEO_LOST as the outcomes say
 * @retval -EMEDIUMTYPE the writer's format is not among those accepted
 * @retval -ENOBUFS (no memory for one more reader), … as get_error explains */
int shmvideo_reader_acquire(struct shmvideo_reader *reader,
    const struct shmvideo_frame **out_frame);

/** As acquire, but skips to the newest frame whatever the depth. */
int shmvideo_reader_acquire_newest(struct shmvideo_reader *reader,
    const struct shmvideo_frame **out_frame);

/** Wait for something to acquire, dispatching. One thread at a time with acquire.
 * @param timeout ns from now, SHMVIDEO_TIME_NONE: for ever
 * @param cancel_fd ends the wait when readable, -1 for none
 * @retval 1 acquire now @retval 0 time is up @retval -ECANCELED, <0 as dispatch */
int shmvideo_reader_wait(struct shmvideo_reader *reader, uint64_t timeout,
    int cancel_fd);

/** Give a frame (or NULL) back. Any thread, also after the reader was freed. */
void shmvideo_frame_release(const struct shmvideo_frame *frame);

/** Count a frame copied because holds were short (statistics). Any thread. */
void shmvideo_reader_note_copy(struct shmvideo_reader *reader);

/** The format that acquire last announced, and its caps text, written as snprintf does
 * (text may be NULL). Any thread. 0, or -ENODATA before the first. */
int shmvideo_reader_get_format(struct shmvideo_reader *reader,
    struct shmvideo_format *out_format, char *text, size_t text_size);

struct shmvideo_reader_status {
  uint32_t connected; /**< 1 while a writer has let us in */
  int writer_pid;     /**< 0 if unknown */
  uint32_t writer_uid, policy; /**< policy as granted, LATEST after a demotion */
  uint32_t depth, max_holds, holding; /**< as granted; holding is in use now */
  uint32_t stride_align; /**< bytes, as it is in the present format, at most 4096 */
  uint64_t latency;   /**< ns, the writer's own */
  uint64_t received, skipped, copied; /**< frames since the reader was made */
};
void shmvideo_reader_get_status(struct shmvideo_reader *reader,
    struct shmvideo_reader_status *out);

/** The last failure, or why no writer is there; -ENODATA: none. Any thread. */
int shmvideo_reader_get_error(struct shmvideo_reader *reader,
    struct shmvideo_error *out_error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
