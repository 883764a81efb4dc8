#ifndef CODEC_H
#define CODEC_H

#include "CImageCodecs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the readers of the formats share. Each has two functions of these types.

typedef ci_status read_header(const ci_source *source, ci_header *header, ci_failure *failure);
typedef ci_status decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure);

read_header png_header, jpeg_header, webp_header, tiff_header, gif_header, bmp_header, avif_header,
    heif_header, jpeg2000_header;
decode png_decode, jpeg_decode, webp_decode, tiff_decode, gif_decode, bmp_decode, avif_decode,
    heif_decode, jpeg2000_decode;

/// A library that is opened when a picture first needs it: together they would more than double the
/// time that every start of the program takes.
typedef struct {
  const char *file;
  void *handle;
} library;

/// The address of a function; null where the library or the function is not there.
void *library_symbol(library *library, const char *name);

/// Whether all of `names` are there, which ends with null; otherwise the failure says what is not.
int library_opens(library *library, const char *const *names, ci_failure *failure);

static inline ci_status failed(ci_failure *failure, ci_status status, const char *format, ...) {
  va_list words;
  va_start(words, format);
  vsnprintf(failure->message, sizeof failure->message, format, words);
  va_end(words);
  return status;
}

static inline int is_stopped(const ci_source *source) {
  return source->is_stopped != NULL && source->is_stopped(source->context);
}

static inline uint32_t little16(const uint8_t *bytes) { return bytes[0] | (uint32_t)bytes[1] << 8; }

static inline uint32_t little32(const uint8_t *bytes) {
  return little16(bytes) | little16(bytes + 2) << 16;
}

/// Four inks, 0 for none, to light, as Pillow converts CMYK.
static inline void inks_to_light(const uint8_t *inks, uint8_t *rgb) {
  const int white = 255 - inks[3];
  for (int channel = 0; channel < 3; channel++) {
    const int product = inks[channel] * white + 128;
    const int level = white - (((product >> 8) + product) >> 8);
    rgb[channel] = (uint8_t)(level < 0 ? 0 : level);
  }
}

/// `in`[count, 4] to colours and alpha.
static inline void split_alpha(const uint8_t *in, size_t count, uint8_t *rgb, uint8_t *alpha) {
  for (size_t pixel = 0; pixel < count; pixel++) {
    memcpy(rgb + 3 * pixel, in + 4 * pixel, 3);
    alpha[pixel] = in[4 * pixel + 3];
  }
}

/// Colours that were weighted by alpha to those that were meant, as Pillow does.
static inline void undo_premultiplying(uint8_t *rgb, const uint8_t *alpha, size_t count) {
  for (size_t place = 0; place < count * 3; place++) {
    const uint32_t weight = alpha[place / 3];
    const uint32_t level = weight == 0 || weight == 255 ? rgb[place] : 255u * rgb[place] / weight;
    rgb[place] = (uint8_t)(level > 255 ? 255 : level);
  }
}

static inline void repeat_grey(uint8_t level, uint8_t *rgb) { rgb[0] = rgb[1] = rgb[2] = level; }

#endif
