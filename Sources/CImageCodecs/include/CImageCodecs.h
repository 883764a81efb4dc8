#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

// Pictures' bytes to 8-bit RGB and back, and the loops over pixels that must be fast in every build.
// Where a library reports failure by longjmp, it ends inside these functions, which answer with a
// status. Nothing is kept between calls, and nothing is printed. Libraries beside libpng and libjpeg
// are opened when a picture first asks for them.

typedef enum {
  ci_done = 0,
  /// The bytes end before the picture does.
  ci_truncated,
  /// The bytes contradict the format.
  ci_damaged,
  /// Well-formed, but of a kind that is not read here.
  ci_unsupported,
  ci_out_of_memory,
  /// `is_stopped` said so.
  ci_stopped,
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

typedef enum {
  ci_png,
  ci_jpeg,
  ci_webp,
  ci_tiff,
  ci_gif,
  ci_bmp,
  ci_avif,
  ci_heif,
  ci_jpeg2000,
} ci_format;

/// What the samples of a file are, as Pillow's modes tell them apart: it decides how a picture is
/// resized that is made RGB afterwards.
typedef enum {
  /// Levels of grey or of colours, with alpha as a channel of its own where there is any: L, LA, RGB
  /// and RGBA.
  ci_levels,
  /// L or RGB, of which one colour stands for transparent.
  ci_keyed,
  /// Numbers of a palette, or one bit, which have no means: P and 1.
  ci_numbers,
  /// CMYK: `samples` are four bytes a pixel, 0 for no ink.
  ci_inks,
  /// YCbCr: `samples` are three bytes a pixel, and one that says nothing.
  ci_chroma,
  /// I;16 and I: `samples` are an int32_t a pixel.
  ci_grey16,
  ci_grey32,
  /// F: `samples` are a float a pixel.
  ci_grey_float,
} ci_mode;

/// A file's bytes, borrowed for a call.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  /// Asked every few milliseconds by the formats that can stop; null for never. WebP, AVIF, HEIF
  /// and JPEG 2000 do not ask.
  int (*is_stopped)(void *context);
  void *context;
  /// The most scans of a progressive JPEG file, each of which costs a pass over the picture.
  uint32_t scan_limit;
} ci_source;

/// What a file says of its picture before any pixel is decoded.
typedef struct {
  ci_size size;
  /// Whether there may be transparent parts, and `ci_decode` is to be given `alpha`.
  int has_alpha;
  /// From `ci_inks` on there are samples, and `ci_decode` is to be given room for them.
  ci_mode mode;
  /// EXIF's number, 1 to 8, where the format itself says it; 0 where metadata may.
  int orientation;
  /// Bytes that decoding takes beside the pixels.
  uint64_t working;
} ci_header;

/// Where a picture goes: `rgb`[height, width, 3], `alpha`[height, width] or null, and `samples`[height,
/// width, 4 bytes] or null. All are partly written where decoding fails.
typedef struct {
  ci_size size;
  uint8_t *rgb;
  uint8_t *alpha;
  uint8_t *samples;
  /// The header's.
  ci_mode mode;
  /// Set where grey of 16 bits or more was cut at 255.
  int is_cut;
} ci_canvas;

/// Reads a header; no pixel is decoded and little memory is taken, whatever the header says.
ci_status ci_read_header(ci_format format, const ci_source *source, ci_header *header,
                         ci_failure *failure);

/// Decodes the first picture to 8-bit RGB as Pillow's `convert("RGB")` does, which drops
/// transparency, repeats grey, keeps the high byte of 16-bit colour and cuts 16-bit grey at 255;
/// beside it alpha as `convert("RGBA")` has it. Files whose size is not the canvas's are
/// `ci_damaged`.
ci_status ci_decode(ci_format format, const ci_source *source, ci_canvas *canvas,
                    ci_failure *failure);

/// How many of alpha[count] are less than 255.
size_t ci_count_transparent(const uint8_t *alpha, size_t count);

/// out[count, 3] = rgb[count, 3] on white, weighted by alpha[count], as Pillow's `alpha_composite`.
void ci_lay_on_white(const uint8_t *rgb, const uint8_t *alpha, size_t count, uint8_t *out);

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

/// `out`[to.height, to.width, 3]: a decoded picture resized in its own mode and made RGB afterwards, as
/// Pillow's `resize` and then `convert("RGB")` do. Alpha weighs the colours and is dropped.
ci_status ci_resize_in_mode(const ci_canvas *in, uint8_t *out, ci_size to, ci_filter filter);

/// out[3, count] = table[channel][rgb[pixel, channel]].
void ci_look_up_planes(const uint8_t *rgb, size_t count, const float *table, float *out);

/// out[rows * columns, channels * patch * patch] = the patches of in[channels, height, width] in
/// reading order, each laid out channel, y, x; what is left over at the right and bottom is dropped.
void ci_patchify(const float *in, size_t channels, size_t height, size_t width, size_t patch,
                 float *out);
/// The inverse: out[channels, rows * patch, columns * patch].
void ci_unpatchify(const float *in, size_t channels, size_t rows, size_t columns, size_t patch,
                   float *out);

/// out = in[height, width, channels] turned as EXIF orientation 2 to 8 asks; for 5 to 8 its sides are
/// exchanged.
void ci_turn(const uint8_t *in, ci_size from, size_t channels, int orientation, uint8_t *out);

#endif
