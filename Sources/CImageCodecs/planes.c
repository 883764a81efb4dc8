#include "CImageCodecs.h"

#include <string.h>

void ci_look_up_planes(const uint8_t *rgb, size_t count, const float *table, float *out) {
  for (size_t channel = 0; channel < 3; channel++) {
    const float *levels = table + channel * 256;
    float *plane = out + channel * count;
    for (size_t i = 0; i < count; i++) plane[i] = levels[rgb[3 * i + channel]];
  }
}

void ci_patchify(const float *in, size_t channels, size_t height, size_t width, size_t patch,
                 float *out) {
  for (size_t row = 0; row < height / patch; row++) {
    for (size_t column = 0; column < width / patch; column++) {
      for (size_t channel = 0; channel < channels; channel++) {
        const float *from = in + (channel * height + row * patch) * width + column * patch;
        for (size_t y = 0; y < patch; y++, out += patch) {
          memcpy(out, from + y * width, patch * sizeof *out);
        }
      }
    }
  }
}

void ci_unpatchify(const float *in, size_t channels, size_t rows, size_t columns, size_t patch,
                   float *out) {
  const size_t height = rows * patch, width = columns * patch;
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++) {
      for (size_t channel = 0; channel < channels; channel++) {
        float *to = out + (channel * height + row * patch) * width + column * patch;
        for (size_t y = 0; y < patch; y++, in += patch) {
          memcpy(to + y * width, in, patch * sizeof *in);
        }
      }
    }
  }
}

void ci_turn(const uint8_t *in, ci_size from, size_t channels, int orientation, uint8_t *out) {
  const size_t width = from.width, height = from.height;
  const size_t out_width = orientation >= 5 ? height : width;
  const size_t out_height = orientation >= 5 ? width : height;
  for (size_t y = 0; y < out_height; y++) {
    for (size_t x = 0; x < out_width; x++, out += channels) {
      size_t column = orientation >= 5 ? y : x, row = orientation >= 5 ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {
        column = width - 1 - column;
      }
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {
        row = height - 1 - row;
      }
      memcpy(out, in + (row * width + column) * channels, channels);
    }
  }
}
