#ifndef TIFF_SAMPLES_H
#define TIFF_SAMPLES_H

#include "codec.h"

#include <tiff.h>

// What the samples of a TIFF mean, as Pillow's table of modes has it.

// How samples lie and what they mean.
typedef struct {
  ci_size size;
  uint16_t bits, samples, photometric, planar, format, compression, orientation;
  // EXTRASAMPLE_…, of the first sample after the colours; -1 for none.
  int extra;
  // Colours of a pixel: 1, 3 or 4.
  int colours;
  int is_tiled;
  // Whether libtiff's own way to RGBA is taken, and whether luma and chroma are read as they lie.
  int is_chroma, is_plain_chroma;
  ci_size tile;
  uint16_t *palette[3];
} layout;

// A sample of a row, as 8 bits; `index` counts samples. Grey beyond 255 is cut.
static inline uint8_t sample8(const uint8_t *row, size_t index, const layout *found, int *is_cut) {
  switch (found->bits) {
    case 8:
      return row[index];
    case 16: {
      uint16_t value;
      memcpy(&value, row + 2 * index, 2);
      if (found->colours > 1 || found->samples > 1) return (uint8_t)(value >> 8);
      if (found->format == SAMPLEFORMAT_INT && value > INT16_MAX) return 0;
      if (value > 255) *is_cut = 1;
      return value > 255 ? 255 : (uint8_t)value;
    }
    case 32: {
      if (found->format == SAMPLEFORMAT_IEEEFP) {
        float value;
        memcpy(&value, row + 4 * index, 4);
        if (value > 255) *is_cut = 1;
        return !(value > 0) ? 0 : value >= 255 ? 255 : (uint8_t)value;
      }
      // Pillow takes unsigned numbers for signed ones here.
      int32_t value;
      memcpy(&value, row + 4 * index, 4);
      if (value > 255) *is_cut = 1;
      return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
    }
    default: {
      const size_t in_byte = 8 / found->bits;
      const int shift = 8 - found->bits * (int)(index % in_byte + 1);
      return row[index / in_byte] >> shift & ((1 << found->bits) - 1);
    }
  }
}

static inline ci_mode mode_of(const layout *found) {
  const int is_grey = found->colours == 1 && found->samples == 1;
  if (found->photometric == PHOTOMETRIC_PALETTE || (is_grey && found->bits == 1)) return ci_numbers;
  if (found->colours == 4) return ci_inks;
  if (found->is_plain_chroma) return ci_chroma;
  if (!is_grey || found->bits <= 8) return ci_levels;
  if (found->format == SAMPLEFORMAT_IEEEFP) return ci_grey_float;
  return found->bits == 16 && found->format != SAMPLEFORMAT_INT ? ci_grey16 : ci_grey32;
}

// A pixel as its mode has it: its levels, or the number itself.
static inline void keep_samples(const uint8_t levels[4], const uint8_t *row, size_t x,
                                const layout *found, uint8_t *out) {
  int32_t number;
  if (found->colours > 1) {
    memcpy(out, levels, 4);
    return;
  }
  if (found->bits == 16) {
    uint16_t value;
    memcpy(&value, row + 2 * x, 2);
    number = found->format == SAMPLEFORMAT_INT ? (int16_t)value : value;
  } else {
    memcpy(&number, row + 4 * x, 4);
  }
  memcpy(out, &number, sizeof number);
}

// Samples of `count` pixels to the canvas from `pixel` on: those of a pixel side by side in `rows`[0],
// or apart in a row a sample.
static inline void to_rgb(const uint8_t *const rows[6], size_t count, const layout *found,
                          ci_canvas *canvas, size_t pixel) {
  const int is_apart = found->planar == PLANARCONFIG_SEPARATE && found->samples > 1;
  uint8_t *rgb = canvas->rgb + pixel * 3;
  uint8_t *alpha = canvas->alpha == NULL ? NULL : canvas->alpha + pixel;
  uint8_t *samples = samples_from(canvas, pixel);
  for (size_t x = 0; x < count; x++, rgb += 3) {
    uint8_t levels[5] = {0};
    for (int part = 0; part < found->colours + (alpha != NULL); part++) {
      const uint8_t *row = is_apart ? rows[part] : rows[0];
      levels[part] = sample8(row, is_apart ? x : x * found->samples + (size_t)part, found,
                             &canvas->is_cut);
    }
    if (samples != NULL) keep_samples(levels, rows[0], x, found, samples + 4 * x);
    if (found->photometric == PHOTOMETRIC_PALETTE) {
      for (int channel = 0; channel < 3; channel++) {
        rgb[channel] = (uint8_t)(found->palette[channel][levels[0]] >> 8);
      }
    } else if (found->colours == 1) {
      uint8_t level = levels[0];
      if (found->bits < 8) level = (uint8_t)(level * (255 / ((1 << found->bits) - 1)));
      const int is_inverted = found->photometric == PHOTOMETRIC_MINISWHITE && found->bits <= 8;
      repeat_grey(is_inverted ? 255 - level : level, rgb);
    } else if (found->colours == 4) {
      inks_to_light(levels, rgb);
    } else if (found->is_plain_chroma) {
      chroma_to_light(levels, rgb);
    } else {
      memcpy(rgb, levels, 3);
    }
    if (alpha == NULL) continue;
    alpha[x] = levels[found->colours];
    if (found->extra == EXTRASAMPLE_ASSOCALPHA) {
      if (alpha[x] == 0) memset(rgb, 0, 3);
      undo_premultiplying(rgb, alpha + x, 1);
    }
  }
}

#endif
