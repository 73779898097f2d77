/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: libshmvideo contributors */

#include "gsttest.h"

#include <dirent.h>

static GstClockTime
deadline(void)
{
  return (GstClockTime)shmvtest_deadline() * GST_MSECOND;
}

/* ---- What GStreamer's leaks tracer counts (GST_TRACERS=leaks) ----------------- */

static GHashTable *alive_before;

static guint
count_threads(void)
{
  DIR *dir = opendir("/proc/self/task");
  guint n = 0;
  g_assert_nonnull(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    n += entry->d_name[0] != '.';
  closedir(dir);
  return n;
}

/* Objects and mini objects that are alive; NULL if nobody counts. While another thread
 * lets go of one, to look at it would be a mistake. */
static GHashTable *
take_alive(void)
{
  GList *tracers = gst_tracing_get_active_tracers();
  GHashTable *set = NULL;
  if (tracers != NULL)
    gst_task_cleanup_all();
  for (int i = 0; tracers != NULL && i < 200 && count_threads() > 1; i++)
    g_usleep(10000);
  for (GList *l = tracers; l != NULL; l = l->next) {
    GstStructure *alive = NULL;
    if (strcmp(G_OBJECT_TYPE_NAME(l->data), "GstLeaksTracer") != 0)
      continue;
    set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_signal_emit_by_name(l->data, "get-live-objects", &alive);
    const GValue *list = gst_structure_get_value(alive, "live-objects-list");
    for (guint i = 0; list != NULL && i < gst_value_list_get_size(list); i++) {
      const GstStructure *one =
          gst_value_get_structure(gst_value_list_get_value(list, i));
      const GValue *object = gst_structure_get_value(one, "object");
      g_hash_table_add(set, g_strdup_printf("%s %p", G_VALUE_TYPE_NAME(object),
                                            g_value_peek_pointer(object)));
    }
    gst_structure_free(alive);
  }
  g_list_free_full(tracers, gst_object_unref);
  return set;
}

static int
check_alive(void)
{
  GHashTableIter iter;
  gpointer name;
  int n = 0;
  GHashTable *alive = alive_before != NULL ? take_alive() : NULL;
  if (alive == NULL)
    return 0;
  g_hash_table_iter_init(&iter, alive);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    if (!g_hash_table_contains(alive_before, name) && n++ < 20)
      g_printerr("still alive: %s\n", (const char *)name);
  g_hash_table_unref(alive);
  g_hash_table_unref(alive_before);
  return n > 0;
}

void
shmvtest_gst_init(int *argc, char ***argv)
{
  gst_init(argc, argv);
  shmvtest_init(argc, argv);
  g_main_context_wakeup(NULL);
  gst_object_unref(gst_system_clock_obtain());
  GstElement *pipeline = gst_parse_launch(
      "videotestsrc num-buffers=3 ! videoconvert ! fakesink sync=true", NULL);
  g_assert_nonnull(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  gst_message_unref(shmvtest_message(pipeline, GST_MESSAGE_EOS));
  shmvtest_stop(pipeline);
  /* Load the plugin: its classes keep what they make once. */
  static const char *const names[] = {"shmvideosink", "shmvideosrc"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    GstElement *element = gst_element_factory_make(names[i], NULL);
    if (element != NULL)
      gst_object_unref(gst_object_ref_sink(element));
  }
  alive_before = take_alive();
  g_assert_true(alive_before != NULL || g_getenv("GST_TRACERS") == NULL);
  /* For this program alone: what a child gst-launch leaks is watched from without. */
  g_unsetenv("GST_TRACERS");
  shmvtest_at_end(check_alive);
}

GstElement *
shmvtest_launch(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  char *line = g_strdup_vprintf(format, args);
  va_end(args);
  g_test_message("gst-launch-1.0 %s", line);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch_full(
      line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  g_assert_no_error(error);
  g_assert_nonnull(pipeline);
  g_free(line);
  if (!GST_IS_PIPELINE(pipeline)) {
    GstElement *bin = gst_pipeline_new(NULL);
    gst_bin_add(GST_BIN(bin), pipeline);
    pipeline = bin;
  }
  return pipeline;
}

GstMessage *
shmvtest_message(GstElement *pipeline, GstMessageType types)
{
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered(bus, deadline(), types | GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == NULL) {
    char *dot = gst_debug_bin_to_dot_data(GST_BIN(pipeline),
                                          GST_DEBUG_GRAPH_SHOW_STATES);
    g_test_message("%s", dot);
    g_error("no message of type 0x%x within the deadline", (guint)types);
  }
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR &&
      !(types & GST_MESSAGE_ERROR)) {
    GError *error = NULL;
    char *debug = NULL;
    gst_message_parse_error(message, &error, &debug);
    g_error("%s: %s\n%s", GST_MESSAGE_SRC_NAME(message), error->message, debug);
  }
  return message;
}

void
shmvtest_state(GstElement *pipeline, GstState state)
{
  gst_element_set_state(pipeline, state);
  GstStateChangeReturn change =
      gst_element_get_state(pipeline, NULL, NULL, deadline());
  if (change != GST_STATE_CHANGE_FAILURE && change != GST_STATE_CHANGE_ASYNC)
    return;
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  GError *error = NULL;
  if (message != NULL)
    gst_message_parse_error(message, &error, NULL);
  g_error("state %s was not reached: %s", gst_element_state_get_name(state),
          error != NULL ? error->message : "deadline");
}

void
shmvtest_stop(GstElement *pipeline)
{
  if (pipeline == NULL)
    return;
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}
