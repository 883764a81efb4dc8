#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

// What libjpeg calls back with. `errors` comes first: libjpeg hands its address back.
typedef struct {
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  uint32_t scan_limit;
  ci_status status;
  ci_failure *failure;
  jmp_buf landing;
} reader;

static void stop(j_common_ptr codec, ci_status status) {
  reader *self = (reader *)codec->err;
  char message[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, message);
  strncpy(self->failure->message, message, sizeof self->failure->message - 1);
  self->status = status;
  longjmp(self->landing, 1);
}

static void fail(j_common_ptr codec) {
  switch (codec->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
      stop(codec, ci_out_of_memory);
      break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      stop(codec, ci_unsupported);
      break;
    case JERR_INPUT_EOF:
    case JERR_INPUT_EMPTY:
      stop(codec, ci_truncated);
      break;
    default:
      stop(codec, ci_damaged);
  }
}

// libjpeg goes on after a warning with invented pixels. A damaged picture stops here instead;
// what is merely untidy passes.
static void hear(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_NOT_SEQUENTIAL:
      break;
    case JWRN_JPEG_EOF:
      stop(codec, ci_truncated);
      break;
    default:
      stop(codec, ci_damaged);
  }
}

static void say_nothing(j_common_ptr codec) { (void)codec; }

static void count_scans(j_common_ptr codec) {
  reader *self = (reader *)codec->err;
  if (!codec->is_decompressor) return;
  const int scan = ((j_decompress_ptr)codec)->input_scan_number;
  if (scan < 0 || (uint32_t)scan <= self->scan_limit) return;
  snprintf(self->failure->message, sizeof self->failure->message, "more than %u scans",
           (unsigned)self->scan_limit);
  self->status = ci_unsupported;
  longjmp(self->landing, 1);
}

// Ink of four inverted plates, as Adobe writes them, to light.
static void inks_to_rgb(const uint8_t *in, uint32_t width, uint8_t *out) {
  for (size_t x = 0; x < width; x++) {
    const int white = in[4 * x + 3];
    for (int channel = 0; channel < 3; channel++) {
      const int product = (255 - in[4 * x + channel]) * white + 128;
      const int level = white - (((product >> 8) + product) >> 8);
      out[3 * x + channel] = (uint8_t)(level < 0 ? 0 : level);
    }
  }
}

// Stops after the header where `out` is null.
static ci_status read_jpeg(const uint8_t *bytes, size_t count, ci_size *size, uint32_t scan_limit,
                           uint8_t *out, ci_failure *failure) {
  struct jpeg_decompress_struct codec;
  reader self = {.scan_limit = scan_limit, .failure = failure};
  memset(failure, 0, sizeof *failure);
  memset(&codec, 0, sizeof codec);
  codec.err = jpeg_std_error(&self.errors);
  self.errors.error_exit = fail;
  self.errors.emit_message = hear;
  self.errors.output_message = say_nothing;
  if (setjmp(self.landing)) {
    // Zeroed above, so this is safe even where creating it failed.
    if (codec.mem != NULL) jpeg_destroy_decompress(&codec);
    return self.status;
  }
  jpeg_create_decompress(&codec);
  codec.mem->max_memory_to_use = 1L << 30;
  self.progress.progress_monitor = count_scans;
  codec.progress = &self.progress;
  jpeg_mem_src(&codec, bytes, (unsigned long)count);
  jpeg_read_header(&codec, TRUE);
  if (out == NULL) {
    *size = (ci_size){codec.image_width, codec.image_height};
    jpeg_destroy_decompress(&codec);
    return ci_done;
  }
  switch (codec.num_components) {
    case 1:
      codec.out_color_space = JCS_GRAYSCALE;
      break;
    case 3:
      codec.out_color_space = JCS_RGB;
      break;
    case 4:
      codec.out_color_space = JCS_CMYK;
      break;
    default:
      snprintf(failure->message, sizeof failure->message, "%d colour components",
               codec.num_components);
      jpeg_destroy_decompress(&codec);
      return ci_unsupported;
  }
  jpeg_start_decompress(&codec);
  if (codec.output_width != size->width || codec.output_height != size->height) {
    ERREXIT(&codec, JERR_BAD_STATE);
  }
  const uint32_t width = codec.output_width;
  // Released with the codec, by a jump too.
  JSAMPARRAY line = codec.mem->alloc_sarray(
      (j_common_ptr)&codec, JPOOL_IMAGE, width * (JDIMENSION)codec.output_components, 1);
  while (codec.output_scanline < codec.output_height) {
    uint8_t *row = out + (size_t)codec.output_scanline * width * 3;
    jpeg_read_scanlines(&codec, line, 1);
    switch (codec.output_components) {
      case 1:
        for (size_t x = 0; x < width; x++) {
          row[3 * x] = row[3 * x + 1] = row[3 * x + 2] = line[0][x];
        }
        break;
      case 3:
        memcpy(row, line[0], (size_t)width * 3);
        break;
      default:
        inks_to_rgb(line[0], width, row);
    }
    failure->row = codec.output_scanline;
  }
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  return ci_done;
}

ci_status ci_jpeg_size(const uint8_t *bytes, size_t count, ci_size *size, ci_failure *failure) {
  return read_jpeg(bytes, count, size, UINT32_MAX, NULL, failure);
}

ci_status ci_jpeg_decode(const uint8_t *bytes, size_t count, ci_size size, uint32_t scan_limit,
                         uint8_t *out, ci_failure *failure) {
  return read_jpeg(bytes, count, &size, scan_limit, out, failure);
}
