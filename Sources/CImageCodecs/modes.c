#include "codec.h"

// Pictures resized before they are made RGB, in the mode that Pillow opens them in.

static size_t count_of(ci_size size) { return (size_t)size.width * size.height; }

// The first three channels of every pixel, weighted by alpha where that is the fourth.
static void take_three(const ci_canvas *in, uint8_t *out) {
  const size_t count = count_of(in->size);
  if (in->samples == NULL) {
    memcpy(out, in->rgb, count * 3);
    premultiply(out, in->alpha, count);
    return;
  }
  for (size_t pixel = 0; pixel < count; pixel++) memcpy(out + 3 * pixel, in->samples + 4 * pixel, 3);
}

// The fourth channel, as grey.
static void take_fourth(const ci_canvas *in, uint8_t *out) {
  for (size_t pixel = 0; pixel < count_of(in->size); pixel++) {
    const uint8_t level = in->samples == NULL ? in->alpha[pixel] : in->samples[4 * pixel + 3];
    repeat_grey(level, out + 3 * pixel);
  }
}

// Four channels to `out`[to, 4], which are resized three at a time.
static ci_status resize_four(const ci_canvas *in, uint8_t *out, ci_size to, ci_filter filter) {
  const size_t after = count_of(to);
  uint8_t *part = malloc(count_of(in->size) * 3), *resized = malloc(after * 3);
  ci_status status = part && resized ? ci_done : ci_out_of_memory;
  if (status == ci_done) {
    take_three(in, part);
    status = ci_resize(part, in->size, resized, to, filter);
  }
  for (size_t pixel = 0; pixel < after && status == ci_done; pixel++) {
    memcpy(out + 4 * pixel, resized + 3 * pixel, 3);
  }
  if (status == ci_done) {
    take_fourth(in, part);
    status = ci_resize(part, in->size, resized, to, filter);
  }
  for (size_t pixel = 0; pixel < after && status == ci_done; pixel++) {
    out[4 * pixel + 3] = resized[3 * pixel];
  }
  free(part), free(resized);
  return status;
}

static void to_rgb(const uint8_t *sample, ci_mode mode, uint8_t *rgb) {
  int32_t number;
  float real;
  switch (mode) {
    case ci_inks:
      inks_to_light(sample, rgb);
      break;
    case ci_chroma:
      chroma_to_light(sample, rgb);
      break;
    case ci_grey16:
    case ci_grey32:
      memcpy(&number, sample, sizeof number);
      repeat_grey(clip8(number), rgb);
      break;
    case ci_grey_float:
      memcpy(&real, sample, sizeof real);
      repeat_grey(!(real > 0) ? 0 : real >= 255 ? 255 : (uint8_t)real, rgb);
      break;
    default:
      memcpy(rgb, sample, 3);
      undo_premultiplying(rgb, sample + 3, 1);
  }
}

ci_status ci_resize_in_mode(const ci_canvas *in, uint8_t *out, ci_size to, ci_filter filter) {
  const int is_weighted = in->mode == ci_levels && in->alpha != NULL;
  // Of the nearest pixel nothing is mixed.
  if (in->mode == ci_numbers || filter == ci_nearest) {
    return ci_resize(in->rgb, in->size, out, to, ci_nearest);
  }
  if (in->samples == NULL && !is_weighted) return ci_resize(in->rgb, in->size, out, to, filter);
  const size_t after = count_of(to);
  uint8_t *resized = malloc(after * 4);
  if (resized == NULL) return ci_out_of_memory;
  const ci_status status =
      in->mode >= ci_grey16
          ? resize_numbers((const uint32_t *)in->samples, in->size, (uint32_t *)resized, to, filter,
                           in->mode)
          : resize_four(in, resized, to, filter);
  for (size_t pixel = 0; pixel < after && status == ci_done; pixel++) {
    to_rgb(resized + 4 * pixel, in->mode, out + 3 * pixel);
  }
  free(resized);
  return status;
}
