#include "codec.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// Everything that libpng may call back with. It lives in the caller's frame of `setjmp`.
typedef struct {
  const ci_source *source;
  size_t offset;
  // Bytes of pixel data that were read since the last row began, and how many may be.
  size_t surplus, surplus_limit;
  ci_status status;
  ci_failure *failure;
  jmp_buf landing;
} reader;

static void fail(png_structp png, png_const_charp message) {
  reader *self = png_get_error_ptr(png);
  if (self->status == ci_done) self->status = ci_damaged;
  strncpy(self->failure->message, message, sizeof self->failure->message - 1);
  longjmp(self->landing, 1);
}

static void ignore_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void stop_if_asked(png_structp png, reader *self) {
  if (!is_stopped(self->source)) return;
  self->status = ci_stopped;
  png_error(png, "stopped");
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
  reader *self = png_get_io_ptr(png);
  stop_if_asked(png, self);
  if (count > self->source->count - self->offset) {
    self->status = ci_truncated;
    png_error(png, "the file ends");
  }
  // What follows the pixels in their stream is unpacked only to be thrown away, a thousand bytes
  // for one.
  if (self->surplus_limit > 0 && png_get_io_chunk_type(png) == 0x49444154 /* IDAT */) {
    self->surplus += count;
    if (self->surplus > self->surplus_limit) png_error(png, "more data than the picture has");
  }
  memcpy(out, self->source->bytes + self->offset, count);
  self->offset += count;
}

static png_voidp allocate(png_structp png, png_alloc_size_t count) {
  (void)png;
  return malloc(count);
}

static void release(png_structp png, png_voidp memory) {
  (void)png;
  free(memory);
}

// One row as the file stores it, one sample a byte (or two), to 8-bit RGB.
static void to_rgb(const uint8_t *in, uint32_t width, int kind, int depth, const uint8_t palette[768],
                   uint8_t *out, uint8_t *samples, int *is_cut) {
  const int wide = depth == 16 ? 2 : 1;
  switch (kind) {
    case PNG_COLOR_TYPE_GRAY: {
      const int scale = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
      for (size_t x = 0; x < width; x++) {
        uint8_t level;
        if (depth == 16) {
          level = in[2 * x] ? 255 : in[2 * x + 1];
          if (in[2 * x]) *is_cut = 1;
          const int32_t number = in[2 * x] << 8 | in[2 * x + 1];
          if (samples != NULL) memcpy(samples + 4 * x, &number, sizeof number);
        } else {
          level = (uint8_t)(in[x] * scale);
        }
        out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = level;
      }
      break;
    }
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      for (size_t x = 0; x < width; x++) {
        out[3 * x] = out[3 * x + 1] = out[3 * x + 2] = in[(size_t)2 * wide * x];
      }
      break;
    case PNG_COLOR_TYPE_PALETTE:
      for (size_t x = 0; x < width; x++) memcpy(out + 3 * x, palette + 3 * in[x], 3);
      break;
    case PNG_COLOR_TYPE_RGB:
    case PNG_COLOR_TYPE_RGB_ALPHA: {
      const size_t step = (size_t)(kind == PNG_COLOR_TYPE_RGB ? 3 : 4) * wide;
      for (size_t x = 0; x < width; x++) {
        for (int channel = 0; channel < 3; channel++) {
          out[3 * (size_t)x + channel] = in[x * step + (size_t)channel * wide];
        }
      }
      break;
    }
  }
}

// What is transparent: an entry of the palette, or a colour.
typedef struct {
  uint8_t palette[256];
  // -1 for none.
  int key[3];
} transparency;

static transparency read_transparency(png_structp png, png_infop info, int kind) {
  transparency found = {.key = {-1, -1, -1}};
  memset(found.palette, 255, sizeof found.palette);
  png_bytep alphas = NULL;
  png_color_16p colour = NULL;
  int count = 0;
  if (!png_get_tRNS(png, info, &alphas, &count, &colour)) return found;
  if (kind == PNG_COLOR_TYPE_PALETTE) {
    if (alphas != NULL) memcpy(found.palette, alphas, (size_t)(count < 256 ? count : 256));
  } else if (colour != NULL) {
    // Pillow compares the low bytes of the key with the pixel at 8 bits, whatever its depth; of one
    // bit it makes black or white first.
    const int is_grey = kind == PNG_COLOR_TYPE_GRAY;
    const int grey = png_get_bit_depth(png, info) == 1 && colour->gray ? 255 : colour->gray;
    found.key[0] = (is_grey ? grey : colour->red) & 255;
    found.key[1] = (is_grey ? grey : colour->green) & 255;
    found.key[2] = (is_grey ? grey : colour->blue) & 255;
  }
  return found;
}

static void to_alpha(const uint8_t *in, uint32_t width, int kind, int depth,
                     const transparency *clear, const uint8_t *rgb, uint8_t *out) {
  const size_t wide = depth == 16 ? 2 : 1;
  const size_t channels = kind == PNG_COLOR_TYPE_RGB_ALPHA ? 4 : 2;
  for (size_t x = 0; x < width; x++) {
    if (kind & PNG_COLOR_MASK_ALPHA) {
      out[x] = in[(channels * x + channels - 1) * wide];
    } else if (kind == PNG_COLOR_TYPE_PALETTE) {
      out[x] = clear->palette[in[x]];
    } else {
      const uint8_t *pixel = rgb + 3 * x;
      out[x] = pixel[0] == clear->key[0] && pixel[1] == clear->key[1] && pixel[2] == clear->key[2]
                   ? 0
                   : 255;
    }
  }
}

// Chunks that say nothing about pixels. Skipped unread, so that none can unpack into a bomb.
static const png_byte skipped[] =
    "cHRM\0gAMA\0iCCP\0sBIT\0sRGB\0bKGD\0hIST\0pHYs\0sPLT\0tIME\0iTXt\0tEXt\0zTXt\0eXIf\0"
    "oFFs\0pCAL\0sCAL\0sTER";

static ci_mode mode_of(int kind, int depth, int has_key) {
  if (kind == PNG_COLOR_TYPE_PALETTE || depth == 1) return ci_numbers;
  if (kind == PNG_COLOR_TYPE_GRAY && depth == 16) return ci_grey16;
  return has_key ? ci_keyed : ci_levels;
}

// Stops after the header where `canvas` is null.
static ci_status read_png(const ci_source *source, ci_header *header, ci_canvas *canvas,
                          ci_failure *failure) {
  reader self = {.source = source, .failure = failure};
  png_infop info = NULL;
  // Volatile: set after setjmp, freed after a jump.
  uint8_t *volatile rows = NULL;
  png_structp png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &self, fail, ignore_warning,
                                             NULL, allocate, release);
  if (png == NULL) return ci_out_of_memory;
  info = png_create_info_struct(png);
  if (info == NULL) {
    png_destroy_read_struct(&png, NULL, NULL);
    return ci_out_of_memory;
  }
  if (setjmp(self.landing)) {
    free(rows);
    png_destroy_read_struct(&png, &info, NULL);
    return self.status;
  }
  png_set_read_fn(png, &self, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_malloc_max(png, 1 << 20);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped, sizeof skipped / 5);
  png_read_info(png, info);

  const uint32_t width = png_get_image_width(png, info);
  const uint32_t height = png_get_image_height(png, info);
  const int kind = png_get_color_type(png, info);
  const int depth = png_get_bit_depth(png, info);
  if (canvas == NULL) {
    header->size = (ci_size){width, height};
    const int has_key = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    header->has_alpha = (kind & PNG_COLOR_MASK_ALPHA) || has_key;
    header->mode = mode_of(kind, depth, has_key);
    // Two rows in libpng, or all of them where they come in seven passes.
    const uint64_t row = (uint64_t)width * png_get_channels(png, info) * (depth == 16 ? 2 : 1);
    const int is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    header->working = row * (is_interlaced ? (uint64_t)height + 2 : 3);
    png_destroy_read_struct(&png, &info, NULL);
    return ci_done;
  }
  if (width != canvas->size.width || height != canvas->size.height) {
    png_error(png, "the size changed");
  }

  const transparency clear = read_transparency(png, info, kind);
  uint8_t palette[768] = {0};
  if (kind == PNG_COLOR_TYPE_PALETTE) {
    png_colorp colours = NULL;
    int colour_count = 0;
    if (!png_get_PLTE(png, info, &colours, &colour_count)) png_error(png, "no palette");
    for (int index = 0; index < colour_count && index < 256; index++) {
      palette[3 * index] = colours[index].red;
      palette[3 * index + 1] = colours[index].green;
      palette[3 * index + 2] = colours[index].blue;
    }
  }
  png_set_packing(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);

  // An interlaced picture is complete only after its last pass; any other is read row by row.
  const size_t stride = png_get_rowbytes(png, info);
  const size_t held = passes > 1 ? height : 1;
  if (stride == 0 || held > SIZE_MAX / stride) png_error(png, "the size overflows");
  rows = calloc(held, stride);
  if (rows == NULL) {
    self.status = ci_out_of_memory;
    png_error(png, "no memory");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t y = 0; y < height; y++) {
      uint8_t *row = rows + (passes > 1 ? y * stride : 0);
      stop_if_asked(png, &self);
      if (pass == passes - 1 && y == height - 1) self.surplus_limit = stride + (1 << 16);
      png_read_row(png, row, NULL);
      if (pass < passes - 1) continue;
      uint8_t *out = canvas->rgb + (size_t)y * width * 3;
      to_rgb(row, width, kind, depth, palette, out, samples_from(canvas, (size_t)y * width),
             &canvas->is_cut);
      if (canvas->alpha != NULL) {
        to_alpha(row, width, kind, depth, &clear, out, canvas->alpha + (size_t)y * width);
      }
      failure->row = y + 1;
    }
  }
  png_read_end(png, NULL);
  free(rows);
  png_destroy_read_struct(&png, &info, NULL);
  return ci_done;
}

ci_status png_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  return read_png(source, header, NULL, failure);
}

ci_status png_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  return read_png(source, NULL, canvas, failure);
}

// The bytes written so far, growing.
typedef struct {
  uint8_t *bytes;
  size_t count, capacity;
  jmp_buf landing;
} writer;

static void fail_writing(png_structp png, png_const_charp message) {
  (void)message;
  writer *self = png_get_error_ptr(png);
  longjmp(self->landing, 1);
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  writer *self = png_get_io_ptr(png);
  if (count > self->capacity - self->count) {
    size_t capacity = self->capacity * 2 + count;
    uint8_t *grown = realloc(self->bytes, capacity);
    if (grown == NULL) png_error(png, "no memory");
    self->bytes = grown;
    self->capacity = capacity;
  }
  memcpy(self->bytes + self->count, bytes, count);
  self->count += count;
}

static void flush(png_structp png) { (void)png; }

ci_status ci_png_encode(const uint8_t *rgb, ci_size size, int (*goes_on)(void), uint8_t **out,
                        size_t *count) {
  writer self = {0};
  png_infop info = NULL;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &self, fail_writing, ignore_warning);
  if (png == NULL) return ci_out_of_memory;
  info = png_create_info_struct(png);
  if (info == NULL) {
    png_destroy_write_struct(&png, NULL);
    return ci_out_of_memory;
  }
  if (setjmp(self.landing)) {
    free(self.bytes);
    png_destroy_write_struct(&png, &info);
    return ci_out_of_memory;
  }
  png_set_write_fn(png, &self, write_bytes, flush);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  // Named, not left to defaults, so that the bytes stay the same.
  png_set_compression_level(png, 6);
  png_set_compression_mem_level(png, 8);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  png_set_IHDR(png, info, size.width, size.height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, info);
  for (uint32_t y = 0; y < size.height; y++) {
    if (!goes_on()) png_error(png, "stopped");
    png_write_row(png, rgb + (size_t)y * size.width * 3);
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  *out = self.bytes;
  *count = self.count;
  return ci_done;
}

void ci_release(uint8_t *bytes) { free(bytes); }
