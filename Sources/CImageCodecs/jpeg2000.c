// For memmem.
#define _GNU_SOURCE
#include "codec.h"

#include <openjpeg-2.5/openjpeg.h>

// OpenJPEG: grey, RGB and CMYK, each with or without alpha.

static library openjpeg = {.file = "libopenjp2.so"};

#define OPJ(name) ((__typeof__(&name))library_symbol(&openjpeg, #name))

typedef struct {
  const ci_source *source;
  size_t offset;
} reader;

static OPJ_SIZE_T read_bytes(void *out, OPJ_SIZE_T count, void *data) {
  reader *self = data;
  const size_t rest = self->source->count - self->offset;
  if (rest == 0) return (OPJ_SIZE_T)-1;
  const size_t some = count < rest ? count : rest;
  memcpy(out, self->source->bytes + self->offset, some);
  self->offset += some;
  return some;
}

static OPJ_BOOL seek(OPJ_OFF_T offset, void *data) {
  reader *self = data;
  if (offset < 0 || (uint64_t)offset > self->source->count) return OPJ_FALSE;
  self->offset = (size_t)offset;
  return OPJ_TRUE;
}

static OPJ_OFF_T skip(OPJ_OFF_T count, void *data) {
  reader *self = data;
  const OPJ_OFF_T place = (OPJ_OFF_T)self->offset;
  const OPJ_OFF_T most = (OPJ_OFF_T)self->source->count - place;
  if (count < -place) return -1;
  const OPJ_OFF_T some = count < most ? count : most;
  self->offset = (size_t)(place + some);
  return some;
}

static void hear(const char *words, void *data) {
  ci_failure *failure = data;
  if (failure->message[0] != 0) return;
  snprintf(failure->message, sizeof failure->message, "%s", words);
  failure->message[strcspn(failure->message, "\r\n")] = 0;
}

static void say_nothing(const char *words, void *data) { (void)words, (void)data; }

typedef struct {
  reader reader;
  opj_codec_t *codec;
  opj_stream_t *stream;
  opj_image_t *image;
} opened;

static void close_file(opened *file) {
  if (file->image != NULL) OPJ(opj_image_destroy)(file->image);
  if (file->codec != NULL) OPJ(opj_destroy_codec)(file->codec);
  if (file->stream != NULL) OPJ(opj_stream_destroy)(file->stream);
}

// Reads the header; to be closed in any case.
static ci_status open_file(const ci_source *source, opened *file, ci_failure *failure) {
  static const char *const names[] = {"opj_create_decompress",
                                      "opj_setup_decoder",
                                      "opj_set_default_decoder_parameters",
                                      "opj_set_error_handler",
                                      "opj_set_warning_handler",
                                      "opj_decoder_set_strict_mode",
                                      "opj_stream_create",
                                      "opj_stream_set_user_data",
                                      "opj_stream_set_user_data_length",
                                      "opj_stream_set_read_function",
                                      "opj_stream_set_seek_function",
                                      "opj_stream_set_skip_function",
                                      "opj_read_header",
                                      "opj_decode",
                                      "opj_image_destroy",
                                      "opj_destroy_codec",
                                      "opj_stream_destroy",
                                      NULL};
  memset(file, 0, sizeof *file);
  if (!library_opens(&openjpeg, names, failure)) return ci_unsupported;
  file->reader.source = source;
  const int is_bare = source->count > 0 && source->bytes[0] == 0xFF;
  file->codec = OPJ(opj_create_decompress)(is_bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  file->stream = OPJ(opj_stream_create)(1 << 16, OPJ_TRUE);
  if (file->codec == NULL || file->stream == NULL) return ci_out_of_memory;
  opj_dparameters_t parameters;
  OPJ(opj_set_default_decoder_parameters)(&parameters);
  OPJ(opj_set_error_handler)(file->codec, hear, failure);
  OPJ(opj_set_warning_handler)(file->codec, say_nothing, NULL);
  OPJ(opj_stream_set_user_data)(file->stream, &file->reader, NULL);
  OPJ(opj_stream_set_user_data_length)(file->stream, source->count);
  OPJ(opj_stream_set_read_function)(file->stream, read_bytes);
  OPJ(opj_stream_set_seek_function)(file->stream, seek);
  OPJ(opj_stream_set_skip_function)(file->stream, skip);
  if (!OPJ(opj_setup_decoder)(file->codec, &parameters) ||
      !OPJ(opj_decoder_set_strict_mode)(file->codec, OPJ_TRUE) ||
      !OPJ(opj_read_header)(file->stream, file->codec, &file->image)) {
    if (failure->message[0] == 0) hear("OpenJPEG cannot read its header", failure);
    return ci_damaged;
  }
  return ci_done;
}

static ci_size size_of(const opj_image_t *image) {
  const int is_good = image->x1 > image->x0 && image->y1 > image->y0;
  return is_good ? (ci_size){image->x1 - image->x0, image->y1 - image->y0} : (ci_size){0, 0};
}

static int is_cmyk(const opj_image_t *image) {
  return image->color_space == OPJ_CLRSPC_CMYK && image->numcomps >= 4;
}

// Whether the boxes before the pixels hold a palette.
static int has_palette(const ci_source *source) {
  const uint8_t *pixels = memmem(source->bytes, source->count, "jp2c", 4);
  const size_t count = pixels == NULL ? 0 : (size_t)(pixels - source->bytes);
  return memmem(source->bytes, count, "pclr", 4) != NULL;
}

static ci_mode mode_of(const ci_source *source, const opj_image_t *image) {
  if (has_palette(source)) return ci_numbers;
  if (image->numcomps == 1 && image->comps[0].prec > 8) return ci_grey16;
  return is_cmyk(image) ? ci_inks : ci_levels;
}

ci_status jpeg2000_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  opened file;
  const ci_status status = open_file(source, &file, failure);
  if (status == ci_done) {
    header->size = size_of(file.image);
    // Until it is decoded, a palette's colours count as one component: alpha may come with them.
    header->has_alpha = file.image->numcomps != 3;
    header->mode = mode_of(source, file.image);
    // 32 bits a sample, with up to four more for the colours of a palette, and its packed blocks.
    const uint64_t samples = file.image->numcomps + (header->mode == ci_numbers ? 4 : 0);
    header->working = (uint64_t)header->size.width * header->size.height * samples * 4 +
                      source->count + LIBRARY_BYTES;
  }
  close_file(&file);
  return status;
}

// A sample as an unsigned number of `bits` bits.
static uint32_t sample(const opj_image_comp_t *part, uint32_t x, uint32_t y, int bits) {
  const size_t column = x / part->dx, row = y / part->dy;
  if (part->data == NULL || column >= part->w || row >= part->h) return 0;
  int64_t value = part->data[row * part->w + column];
  if (part->sgnd) value += (int64_t)1 << (part->prec - 1);
  if (value < 0) value = 0;
  const int shift = bits - (int)part->prec;
  const uint64_t scaled = shift < 0 ? (uint64_t)value >> -shift : (uint64_t)value << shift;
  const uint64_t most = ((uint64_t)1 << bits) - 1;
  return (uint32_t)(scaled < most ? scaled : most);
}

static ci_status convert(const opj_image_t *image, ci_canvas *canvas, ci_failure *failure) {
  const uint32_t count = image->numcomps;
  const opj_image_comp_t *parts = image->comps;
  const int has_inks = is_cmyk(image);
  const uint32_t colours = count < 3 ? 1 : has_inks ? 4 : 3;
  const int is_chroma = image->color_space == OPJ_CLRSPC_SYCC && colours == 3;
  const int is_deep = count == 1 && parts[0].prec > 8;
  for (uint32_t part = 0; part < count; part++) {
    if (parts[part].prec < 1 || parts[part].prec > 31 || parts[part].dx < 1 || parts[part].dy < 1) {
      return failed(failure, ci_unsupported, "components of %u bits", (unsigned)parts[part].prec);
    }
  }
  size_t pixel = 0;
  for (uint32_t y = 0; y < canvas->size.height; y++) {
    for (uint32_t x = 0; x < canvas->size.width; x++, pixel++) {
      uint8_t *rgb = canvas->rgb + 3 * pixel, levels[4] = {0};
      uint8_t *samples = samples_from(canvas, pixel);
      for (uint32_t part = 0; part < colours && !is_deep; part++) {
        levels[part] = (uint8_t)sample(parts + part, x, y, 8);
      }
      if (is_deep) {
        const uint32_t level = sample(parts, x, y, 16);
        if (level > 255) canvas->is_cut = 1;
        if (samples != NULL) memcpy(samples, &level, sizeof level);
        repeat_grey(level > 255 ? 255 : (uint8_t)level, rgb);
      } else if (colours == 1) {
        repeat_grey(levels[0], rgb);
      } else if (has_inks) {
        inks_to_light(levels, rgb);
        if (samples != NULL) memcpy(samples, levels, sizeof levels);
      } else if (is_chroma) {
        chroma_to_light(levels, rgb);
      } else {
        memcpy(rgb, levels, 3);
      }
      if (canvas->alpha != NULL) {
        canvas->alpha[pixel] =
            count == 2 || (count == 4 && !has_inks) ? (uint8_t)sample(parts + colours, x, y, 8) : 255;
      }
    }
  }
  return ci_done;
}

ci_status jpeg2000_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  opened file;
  ci_status status = open_file(source, &file, failure);
  if (status == ci_done) {
    const ci_size size = size_of(file.image);
    if (size.width != canvas->size.width || size.height != canvas->size.height) {
      status = failed(failure, ci_damaged, "the size changed");
    } else if (!OPJ(opj_decode)(file.codec, file.stream, file.image)) {
      if (failure->message[0] == 0) hear("OpenJPEG cannot decode it", failure);
      status = ci_damaged;
    } else {
      status = convert(file.image, canvas, failure);
    }
  }
  close_file(&file);
  return status;
}
