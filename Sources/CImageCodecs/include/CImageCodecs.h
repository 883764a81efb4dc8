#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

// PNG and JPEG bytes to 8-bit RGB and back, and the loops over pixels that must be fast in every
// build. libpng and libjpeg report failure by longjmp; it ends inside these functions, which answer
// with a status. Nothing is kept between calls, and nothing is printed.

typedef enum {
  ci_done = 0,
  /// The bytes end before the picture does.
  ci_truncated,
  /// The bytes contradict the format.
  ci_damaged,
  /// Well-formed, but of a kind that is not read here.
  ci_unsupported,
  ci_out_of_memory,
} ci_status;

/// What went wrong, in the words of the library that found it, and how far reading had come.
typedef struct {
  char message[200];
  /// Rows that were complete.
  uint32_t row;
} ci_failure;

typedef struct {
  uint32_t width;
  uint32_t height;
} ci_size;

/// Reads a header; no pixel is decoded and little memory is taken, whatever the header says.
ci_status ci_png_size(const uint8_t *bytes, size_t count, ci_size *size, ci_failure *failure);
ci_status ci_jpeg_size(const uint8_t *bytes, size_t count, ci_size *size, ci_failure *failure);

/// Decodes to `out`[size.height, size.width, 3], which is partly written when decoding fails.
/// Transparency is dropped, grey is repeated, 16-bit colour keeps its high byte, 16-bit grey is cut
/// at 255: as Pillow's `convert("RGB")` does. Files whose size is not `size` are `ci_damaged`.
ci_status ci_png_decode(const uint8_t *bytes, size_t count, ci_size size, uint8_t *out,
                        ci_failure *failure);
/// `scan_limit` bounds the scans of a progressive file, each of which costs a pass over the picture.
ci_status ci_jpeg_decode(const uint8_t *bytes, size_t count, ci_size size, uint32_t scan_limit,
                         uint8_t *out, ci_failure *failure);

/// Encodes `rgb`[height, width, 3]; the same pixels always give the same bytes.
/// `*out` is to be released with `ci_release`; memory can run out, and before each row `goes_on` is
/// asked, whose 0 ends it as if memory had.
ci_status ci_png_encode(const uint8_t *rgb, ci_size size, int (*goes_on)(void), uint8_t **out,
                        size_t *count);
void ci_release(uint8_t *bytes);

typedef enum { ci_nearest, ci_bilinear, ci_bicubic, ci_lanczos } ci_filter;

/// Resamples `in`[from.height, from.width, 3] to `out`[to.height, to.width, 3]: one
/// direction after the other, the filter widened by the reduction, 22-bit fixed-point weights,
/// rounded to 8 bits after each direction. No side may be zero.
ci_status ci_resize(const uint8_t *in, ci_size from, uint8_t *out, ci_size to, ci_filter filter);

/// out[3, count] = table[channel][rgb[pixel, channel]].
void ci_look_up_planes(const uint8_t *rgb, size_t count, const float *table, float *out);

/// out[rows * columns, channels * patch * patch] = the patches of in[channels, height, width] in
/// reading order, each laid out channel, y, x; what is left over at the right and bottom is dropped.
void ci_patchify(const float *in, size_t channels, size_t height, size_t width, size_t patch,
                 float *out);
/// The inverse: out[channels, rows * patch, columns * patch].
void ci_unpatchify(const float *in, size_t channels, size_t rows, size_t columns, size_t patch,
                   float *out);

/// out = in turned as EXIF orientation 2 to 8 asks; for 5 to 8 its sides are exchanged.
void ci_turn(const uint8_t *in, ci_size from, int orientation, uint8_t *out);

#endif
