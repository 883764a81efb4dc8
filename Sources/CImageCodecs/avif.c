#include "codec.h"

#include <avif/avif.h>

// libavif, whose conversion from luma and chroma gives Pillow's bits; libheif's does not.

static library libavif = {.file = "libavif.so"};

#define AVIF(name) ((__typeof__(&name))library_symbol(&libavif, #name))

static ci_status status_of(avifResult result, ci_failure *failure) {
  switch (result) {
    case AVIF_RESULT_OK:
      return ci_done;
    case AVIF_RESULT_TRUNCATED_DATA:
      return ci_truncated;
    case AVIF_RESULT_OUT_OF_MEMORY:
      return ci_out_of_memory;
    case AVIF_RESULT_NO_CODEC_AVAILABLE:
    case AVIF_RESULT_NOT_IMPLEMENTED:
    case AVIF_RESULT_UNSUPPORTED_DEPTH:
      return failed(failure, ci_unsupported, "%s", AVIF(avifResultToString)(result));
    default:
      return failed(failure, ci_damaged, "%s", AVIF(avifResultToString)(result));
  }
}

static ci_status open_file(const ci_source *source, avifDecoder **decoder, ci_failure *failure) {
  static const char *const names[] = {
      "avifDecoderCreate", "avifDecoderSetIOMemory", "avifDecoderParse", "avifDecoderNextImage",
      "avifDecoderDestroy", "avifImageYUVToRGB", "avifRGBImageSetDefaults", "avifResultToString",
      NULL};
  if (!library_opens(&libavif, names, failure)) return ci_unsupported;
  *decoder = AVIF(avifDecoderCreate)();
  if (*decoder == NULL) return ci_out_of_memory;
  // The same bits as dav1d gives, which would write what it finds wrong to standard error.
  (*decoder)->codecChoice = AVIF_CODEC_CHOICE_AOM;
  // A second thread makes libaom slower, and take five times the memory.
  (*decoder)->maxThreads = 1;
  // As lax as Pillow: real files leave out what only a strict reader misses.
  (*decoder)->strictFlags &= ~(avifStrictFlags)(AVIF_STRICT_CLAP_VALID | AVIF_STRICT_PIXI_REQUIRED);
  avifResult result = AVIF(avifDecoderSetIOMemory)(*decoder, source->bytes, source->count);
  if (result == AVIF_RESULT_OK) result = AVIF(avifDecoderParse)(*decoder);
  if (result == AVIF_RESULT_OK) return ci_done;
  const ci_status status = status_of(result, failure);
  AVIF(avifDecoderDestroy)(*decoder);
  return status;
}

// What the boxes irot (quarter turns anticlockwise) and imir (0: top and bottom change places) ask,
// the turn first, as EXIF's number.
static int orientation_of(const avifImage *image) {
  static const int turned[] = {1, 8, 3, 6};
  static const int flipped[] = {4, 5, 2, 7}, mirrored[] = {2, 7, 4, 5};
  const int angle = image->transformFlags & AVIF_TRANSFORM_IROT ? image->irot.angle & 3 : 0;
  if (!(image->transformFlags & AVIF_TRANSFORM_IMIR)) return turned[angle];
  return image->imir.mode ? mirrored[angle] : flipped[angle];
}

ci_status avif_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  avifDecoder *decoder;
  const ci_status status = open_file(source, &decoder, failure);
  if (status != ci_done) return status;
  const avifImage *image = decoder->image;
  header->size = (ci_size){image->width, image->height};
  header->has_alpha = decoder->alphaPresent;
  header->orientation = orientation_of(image);
  // What libaom takes, as measured: for each of colours and alpha; then four channels beside them.
  const uint64_t pixel = (image->depth > 8 ? 24 : 17) * (header->has_alpha ? 2 : 1);
  header->working = (uint64_t)image->width * image->height * pixel + LIBRARY_BYTES;
  AVIF(avifDecoderDestroy)(decoder);
  return ci_done;
}

ci_status avif_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  avifDecoder *decoder;
  ci_status status = open_file(source, &decoder, failure);
  if (status != ci_done) return status;
  status = status_of(AVIF(avifDecoderNextImage)(decoder), failure);
  const avifImage *image = decoder->image;
  if (status == ci_done &&
      (image->width != canvas->size.width || image->height != canvas->size.height)) {
    status = failed(failure, ci_damaged, "the size changed");
  }
  if (status == ci_done) {
    const size_t count = (size_t)image->width * image->height;
    avifRGBImage rgb;
    AVIF(avifRGBImageSetDefaults)(&rgb, image);
    rgb.depth = 8;
    rgb.format = canvas->alpha == NULL ? AVIF_RGB_FORMAT_RGB : AVIF_RGB_FORMAT_RGBA;
    rgb.rowBytes = image->width * (canvas->alpha == NULL ? 3 : 4);
    rgb.pixels = canvas->alpha == NULL ? canvas->rgb : malloc(count * 4);
    status = rgb.pixels == NULL ? ci_out_of_memory
                                : status_of(AVIF(avifImageYUVToRGB)(image, &rgb), failure);
    if (canvas->alpha != NULL && rgb.pixels != NULL) {
      split_alpha(rgb.pixels, count, canvas->rgb, canvas->alpha);
      free(rgb.pixels);
    }
  }
  AVIF(avifDecoderDestroy)(decoder);
  return status;
}
