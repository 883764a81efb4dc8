#include "codec.h"

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
  const ci_source *source;
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

static void watch(j_common_ptr codec) {
  reader *self = (reader *)codec->err;
  if (is_stopped(self->source)) {
    self->status = ci_stopped;
    longjmp(self->landing, 1);
  }
  if (!codec->is_decompressor) return;
  const int scan = ((j_decompress_ptr)codec)->input_scan_number;
  if (scan < 0 || (uint32_t)scan <= self->source->scan_limit) return;
  self->status = failed(self->failure, ci_unsupported, "more than %u scans",
                        (unsigned)self->source->scan_limit);
  longjmp(self->landing, 1);
}

// Ink of four inverted plates, as Adobe writes them, to light.
static void plates_to_rgb(const uint8_t *in, uint32_t width, uint8_t *out, uint8_t *samples) {
  for (size_t x = 0; x < width; x++) {
    const uint8_t inks[4] = {255 - in[4 * x], 255 - in[4 * x + 1], 255 - in[4 * x + 2],
                             255 - in[4 * x + 3]};
    inks_to_light(inks, out + 3 * x);
    if (samples != NULL) memcpy(samples + 4 * x, inks, sizeof inks);
  }
}

// Whether the scans of a progressive file brought every coefficient to its last bit. One that was cut
// between two scans, and closed with an end mark, is a blurred picture of the right size.
static int has_all_scans(j_decompress_ptr codec) {
  if (codec->coef_bits == NULL) return 1;
  for (int component = 0; component < codec->num_components; component++) {
    for (int place = 0; place < DCTSIZE2; place++) {
      if (codec->coef_bits[component][place] != 0) return 0;
    }
  }
  return 1;
}

// Stops after the header where `canvas` is null.
static ci_status read_jpeg(const ci_source *source, ci_header *header, ci_canvas *canvas,
                           ci_failure *failure) {
  struct jpeg_decompress_struct codec;
  reader self = {.source = source, .failure = failure};
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
  // The coefficients of the largest picture, in four components.
  codec.mem->max_memory_to_use = 3L << 29;
  self.progress.progress_monitor = watch;
  codec.progress = &self.progress;
  jpeg_mem_src(&codec, source->bytes, (unsigned long)source->count);
  jpeg_read_header(&codec, TRUE);
  if (canvas == NULL) {
    header->size = (ci_size){codec.image_width, codec.image_height};
    header->mode = codec.num_components == 4 ? ci_inks : ci_levels;
    // Several scans are put together in 16-bit coefficients; one alone needs a few rows.
    const int is_whole = codec.progressive_mode || jpeg_has_multiple_scans(&codec);
    uint64_t samples = 0;
    for (int index = 0; index < codec.num_components; index++) {
      const jpeg_component_info *part = &codec.comp_info[index];
      samples += (uint64_t)codec.image_width * part->h_samp_factor / codec.max_h_samp_factor *
                     (is_whole ? codec.image_height : 16) * part->v_samp_factor /
                     codec.max_v_samp_factor +
                 codec.image_width * 16;
    }
    header->working = samples * 2 + (1 << 16);
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
      jpeg_destroy_decompress(&codec);
      return failed(failure, ci_unsupported, "%d colour components", codec.num_components);
  }
  jpeg_start_decompress(&codec);
  if (codec.output_width != canvas->size.width || codec.output_height != canvas->size.height) {
    ERREXIT(&codec, JERR_BAD_STATE);
  }
  const uint32_t width = codec.output_width;
  // Released with the codec, by a jump too.
  JSAMPARRAY line = codec.mem->alloc_sarray(
      (j_common_ptr)&codec, JPOOL_IMAGE, width * (JDIMENSION)codec.output_components, 1);
  while (codec.output_scanline < codec.output_height) {
    uint8_t *row = canvas->rgb + (size_t)codec.output_scanline * width * 3;
    watch((j_common_ptr)&codec);
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
        plates_to_rgb(line[0], width, row,
                      samples_from(canvas, (size_t)(codec.output_scanline - 1) * width));
    }
    failure->row = codec.output_scanline;
  }
  const int is_whole = has_all_scans(&codec);
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  return is_whole ? ci_done : failed(failure, ci_damaged, "its later scans are missing");
}

ci_status jpeg_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  return read_jpeg(source, header, NULL, failure);
}

ci_status jpeg_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  return read_jpeg(source, NULL, canvas, failure);
}
