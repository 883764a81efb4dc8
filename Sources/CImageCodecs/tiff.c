#include "codec.h"

#include <limits.h>

#include <tiffio.h>

#include "tiff_samples.h"

// libtiff unpacks strips and tiles; what their samples mean is read here as Pillow reads it.

static library libtiff = {.file = "libtiff.so"};

#define TIFF_(name) ((__typeof__(&name))library_symbol(&libtiff, #name))

typedef struct {
  const ci_source *source;
  uint64_t offset;
  ci_failure *failure;
  int has_ended;
} reader;

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t count) {
  reader *self = handle;
  const uint64_t length = self->source->count;
  const uint64_t rest = self->offset < length ? length - self->offset : 0;
  const size_t some = (uint64_t)count < rest ? (size_t)count : (size_t)rest;
  if (some < (size_t)count) self->has_ended = 1;
  memcpy(out, self->source->bytes + (some ? self->offset : 0), some);
  self->offset += some;
  return (tmsize_t)some;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t count) {
  (void)handle, (void)bytes, (void)count;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  reader *self = handle;
  if (whence == SEEK_CUR) offset += self->offset;
  if (whence == SEEK_END) offset += self->source->count;
  return self->offset = offset;
}

static int close_nothing(thandle_t handle) { return (void)handle, 0; }

static toff_t length_of(thandle_t handle) { return ((reader *)handle)->source->count; }

// Keeps the first complaint.
static int hear(TIFF *file, void *data, const char *module, const char *format, va_list words) {
  ci_failure *failure = data;
  (void)file, (void)module;
  if (failure->message[0] == 0) {
    vsnprintf(failure->message, sizeof failure->message, format, words);
  }
  return 1;
}

static int say_nothing(TIFF *file, void *data, const char *module, const char *format,
                       va_list words) {
  (void)file, (void)data, (void)module, (void)format, (void)words;
  return 1;
}

static ci_status damaged(const reader *self) {
  if (self->has_ended) return ci_truncated;
  if (self->failure->message[0] != 0) return ci_damaged;
  return failed(self->failure, ci_damaged, "libtiff cannot decode it");
}

static ci_status open_file(reader *self, TIFF **file) {
  static const char *const names[] = {
      "TIFFOpenOptionsAlloc",
      "TIFFOpenOptionsFree",
      "TIFFOpenOptionsSetMaxSingleMemAlloc",
      "TIFFOpenOptionsSetErrorHandlerExtR",
      "TIFFOpenOptionsSetWarningHandlerExtR",
      "TIFFClientOpenExt",
      "TIFFClose",
      "TIFFGetField",
      "TIFFGetFieldDefaulted",
      "TIFFSetField",
      "TIFFIsTiled",
      "TIFFTileSize64",
      "TIFFNumberOfTiles",
      "TIFFNumberOfStrips",
      "TIFFScanlineSize64",
      "TIFFReadScanline",
      "TIFFReadTile",
      "TIFFRGBAImageBegin",
      "TIFFRGBAImageGet",
      "TIFFRGBAImageEnd",
      "TIFFIsCODECConfigured",
      NULL};
  if (!library_opens(&libtiff, names, self->failure)) return ci_unsupported;
  TIFFOpenOptions *options = TIFF_(TIFFOpenOptionsAlloc)();
  if (options == NULL) return ci_out_of_memory;
  TIFF_(TIFFOpenOptionsSetMaxSingleMemAlloc)(options, (tmsize_t)1 << 31);
  TIFF_(TIFFOpenOptionsSetErrorHandlerExtR)(options, hear, self->failure);
  TIFF_(TIFFOpenOptionsSetWarningHandlerExtR)(options, say_nothing, NULL);
  *file = TIFF_(TIFFClientOpenExt)("", "rm", self, read_bytes, write_nothing, seek, close_nothing,
                                   length_of, NULL, NULL, options);
  TIFF_(TIFFOpenOptionsFree)(options);
  return *file == NULL ? damaged(self) : ci_done;
}

static int get16(TIFF *file, uint32_t tag, uint16_t otherwise) {
  uint16_t value = otherwise;
  return TIFF_(TIFFGetFieldDefaulted)(file, tag, &value) ? value : otherwise;
}

// Whether chroma is as large as luma and means what it does where nothing is said of it: Pillow
// converts such samples itself, unless they are packed.
static int is_plain_chroma(TIFF *file, const layout *found) {
  uint16_t across = 0, down = 0;
  float *weights = NULL, *range = NULL;
  TIFF_(TIFFGetFieldDefaulted)(file, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
  if (found->compression != COMPRESSION_NONE || found->bits != 8 || across != 1 || down != 1 ||
      !TIFF_(TIFFGetFieldDefaulted)(file, TIFFTAG_YCBCRCOEFFICIENTS, &weights) ||
      !TIFF_(TIFFGetFieldDefaulted)(file, TIFFTAG_REFERENCEBLACKWHITE, &range)) {
    return 0;
  }
  static const float usual_weights[] = {0.299f, 0.587f, 0.114f};
  static const float usual_range[] = {0, 255, 128, 255, 128, 255};
  return memcmp(weights, usual_weights, sizeof usual_weights) == 0 &&
         memcmp(range, usual_range, sizeof usual_range) == 0;
}

static ci_status read_layout(TIFF *file, layout *found, reader *self) {
  memset(found, 0, sizeof *found);
  if (!TIFF_(TIFFGetField)(file, TIFFTAG_IMAGEWIDTH, &found->size.width) ||
      !TIFF_(TIFFGetField)(file, TIFFTAG_IMAGELENGTH, &found->size.height)) {
    return failed(self->failure, ci_damaged, "its sides are not told");
  }
  found->bits = (uint16_t)get16(file, TIFFTAG_BITSPERSAMPLE, 1);
  found->samples = (uint16_t)get16(file, TIFFTAG_SAMPLESPERPIXEL, 1);
  found->planar = (uint16_t)get16(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  found->format = (uint16_t)get16(file, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  found->compression = (uint16_t)get16(file, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  found->orientation = (uint16_t)get16(file, TIFFTAG_ORIENTATION, 1);
  uint16_t photometric = PHOTOMETRIC_MINISWHITE;
  TIFF_(TIFFGetField)(file, TIFFTAG_PHOTOMETRIC, &photometric);
  found->photometric = photometric;
  if (!TIFF_(TIFFIsCODECConfigured)(found->compression)) {
    return failed(self->failure, ci_unsupported, "compression %d", found->compression);
  }
  uint16_t extra_count = 0, *extras = NULL;
  found->extra = -1;
  if (TIFF_(TIFFGetField)(file, TIFFTAG_EXTRASAMPLES, &extra_count, &extras) && extra_count > 0) {
    found->extra = extras[0];
  }
  switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
      found->colours = 1;
      break;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR:
      found->colours = 3;
      break;
    case PHOTOMETRIC_SEPARATED:
      found->colours = 4;
      break;
    default:
      return failed(self->failure, ci_unsupported, "photometric interpretation %d", photometric);
  }
  if (photometric == PHOTOMETRIC_YCBCR && found->samples == 1) found->colours = 1;
  if (photometric == PHOTOMETRIC_RGB && found->samples == 4 && found->extra < 0) {
    // Not told, but meant.
    found->extra = EXTRASAMPLE_UNASSALPHA;
  }
  if (photometric == PHOTOMETRIC_YCBCR && found->colours == 3) {
    if (found->compression == COMPRESSION_JPEG && found->planar == PLANARCONFIG_CONTIG) {
      TIFF_(TIFFSetField)(file, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    } else if (is_plain_chroma(file, found)) {
      found->is_plain_chroma = 1;
    } else {
      found->is_chroma = 1;
    }
  }
  if (found->samples < found->colours || found->samples > 6) {
    return failed(self->failure, ci_unsupported, "%d samples a pixel", found->samples);
  }
  const int is_number = found->format == SAMPLEFORMAT_UINT || found->format == SAMPLEFORMAT_VOID;
  const int is_grey = found->colours == 1 && photometric != PHOTOMETRIC_PALETTE;
  const int is_known =
      found->bits == 8 ||
      (found->bits == 16 && photometric != PHOTOMETRIC_PALETTE) ||
      (found->bits == 32 && is_grey && found->samples == 1) ||
      ((found->bits == 1 || found->bits == 2 || found->bits == 4) && found->samples == 1);
  const int has_format =
      is_number ||
      (is_grey && found->bits >= 8 &&
       (found->format == SAMPLEFORMAT_INT ||
        (found->format == SAMPLEFORMAT_IEEEFP && found->bits == 32)));
  if (!is_known || !has_format) {
    return failed(self->failure, ci_unsupported, "%d bits a sample of format %d", found->bits,
                  found->format);
  }
  if (photometric == PHOTOMETRIC_PALETTE &&
      !TIFF_(TIFFGetField)(file, TIFFTAG_COLORMAP, found->palette, found->palette + 1,
                           found->palette + 2)) {
    return failed(self->failure, ci_damaged, "its palette is missing");
  }
  found->is_tiled = TIFF_(TIFFIsTiled)(file);
  if (found->is_tiled) {
    TIFF_(TIFFGetField)(file, TIFFTAG_TILEWIDTH, &found->tile.width);
    TIFF_(TIFFGetField)(file, TIFFTAG_TILELENGTH, &found->tile.height);
    if (found->tile.width == 0 || found->tile.height == 0 ||
        found->tile.width > INT_MAX || found->tile.height > INT_MAX) {
      return failed(self->failure, ci_damaged, "tiles of no size");
    }
  }
  return ci_done;
}

static int has_alpha(const layout *found) {
  // 999 is what Corel Draw writes.
  const int is_alpha = found->extra == EXTRASAMPLE_UNASSALPHA || found->extra == 999 ||
                       (found->extra == EXTRASAMPLE_ASSOCALPHA && found->colours == 3);
  return is_alpha && found->samples > found->colours && found->colours != 4;
}

// The bytes of the largest strip or tile as it is packed.
static uint64_t largest_piece(TIFF *file, const layout *found) {
  uint64_t *counts = NULL, largest = 0;
  const uint32_t tag = found->is_tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS;
  const uint32_t pieces =
      found->is_tiled ? TIFF_(TIFFNumberOfTiles)(file) : TIFF_(TIFFNumberOfStrips)(file);
  if (!TIFF_(TIFFGetField)(file, tag, &counts) || counts == NULL) return UINT64_MAX;
  for (uint32_t piece = 0; piece < pieces; piece++) {
    if (counts[piece] > largest) largest = counts[piece];
  }
  return largest;
}

// What is held beside the pixels: a row or a tile, or planes that lie apart; and a packed strip, which
// is never more than the file.
static uint64_t working(TIFF *file, const layout *found, uint64_t file_count) {
  const uint64_t pixels = (uint64_t)found->size.width * found->size.height;
  const uint64_t packed = found->compression == COMPRESSION_NONE ? 0 : largest_piece(file, found);
  const uint64_t library = LIBRARY_BYTES + (packed < file_count ? packed : file_count);
  if (found->is_chroma) return pixels * 4 + library;
  const int is_apart = found->planar == PLANARCONFIG_SEPARATE && found->samples > 1;
  const uint64_t parts = is_apart ? found->samples : 1;
  const uint64_t rows = is_apart && !found->is_tiled ? found->size.height : 1;
  const uint64_t piece = found->is_tiled ? TIFF_(TIFFTileSize64)(file)
                                         : TIFF_(TIFFScanlineSize64)(file);
  return piece < UINT64_MAX / 64 / rows ? piece * rows * parts + library : UINT64_MAX;
}

ci_status tiff_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  reader self = {.source = source, .failure = failure};
  TIFF *file;
  ci_status status = open_file(&self, &file);
  if (status != ci_done) return status;
  layout found;
  status = read_layout(file, &found, &self);
  if (status == ci_done) {
    header->size = found.size;
    header->has_alpha = has_alpha(&found);
    header->mode = mode_of(&found);
    header->orientation = found.orientation >= 1 && found.orientation <= 8 ? found.orientation : 0;
    header->working = working(file, &found, source->count);
  }
  TIFF_(TIFFClose)(file);
  return status;
}

// A row of every sample that is needed, or one of all samples.
static ci_status read_strips(TIFF *file, const layout *found, reader *self, ci_canvas *canvas) {
  const uint64_t length = TIFF_(TIFFScanlineSize64)(file);
  const size_t width = found->size.width, height = found->size.height;
  const int is_apart = found->planar == PLANARCONFIG_SEPARATE && found->samples > 1;
  const int parts = is_apart ? found->colours + (canvas->alpha != NULL) : 1;
  const uint64_t needed =
      ((uint64_t)width * (is_apart ? 1 : found->samples) * found->bits + 7) / 8;
  if (length < needed || length > SIZE_MAX / height / 8) return damaged(self);
  // Planes that lie apart are read one after the other, so they are all held.
  const size_t held = is_apart ? height : 1;
  uint8_t *samples = malloc((size_t)length * held * (size_t)parts);
  if (samples == NULL) return ci_out_of_memory;
  ci_status status = ci_done;
  for (int part = 0; part < parts && status == ci_done; part++) {
    for (size_t y = 0; y < height && status == ci_done; y++) {
      uint8_t *row = samples + (is_apart ? ((size_t)part * height + y) * (size_t)length : 0);
      if (is_stopped(self->source)) {
        status = ci_stopped;
      } else if (TIFF_(TIFFReadScanline)(file, row, (uint32_t)y, (uint16_t)part) < 0) {
        status = damaged(self);
      } else if (!is_apart) {
        const uint8_t *const rows[6] = {row};
        to_rgb(rows, width, found, canvas, y * width);
        self->failure->row = (uint32_t)y + 1;
      }
    }
  }
  for (size_t y = 0; is_apart && y < height && status == ci_done; y++) {
    const uint8_t *rows[6] = {NULL};
    for (int part = 0; part < parts; part++) {
      rows[part] = samples + ((size_t)part * height + y) * (size_t)length;
    }
    to_rgb(rows, width, found, canvas, y * width);
  }
  free(samples);
  return status;
}

static ci_status read_tiles(TIFF *file, const layout *found, reader *self, ci_canvas *canvas) {
  const uint64_t length = TIFF_(TIFFTileSize64)(file);
  const int is_apart = found->planar == PLANARCONFIG_SEPARATE && found->samples > 1;
  const int parts = is_apart ? found->colours + (canvas->alpha != NULL) : 1;
  const uint64_t stride =
      ((uint64_t)found->tile.width * (is_apart ? 1 : found->samples) * found->bits + 7) / 8;
  if (stride * found->tile.height > length || length > ((uint64_t)1 << 31)) return damaged(self);
  uint8_t *samples = malloc((size_t)length * (size_t)parts);
  if (samples == NULL) return ci_out_of_memory;
  const size_t width = found->size.width;
  ci_status status = ci_done;
  for (uint64_t top = 0; top < found->size.height && status == ci_done; top += found->tile.height) {
    for (uint64_t left = 0; left < width && status == ci_done; left += found->tile.width) {
      for (int part = 0; part < parts && status == ci_done; part++) {
        if (is_stopped(self->source)) {
          status = ci_stopped;
        } else if (TIFF_(TIFFReadTile)(file, samples + (size_t)length * (size_t)part,
                                       (uint32_t)left, (uint32_t)top, 0, (uint16_t)part) < 0) {
          status = damaged(self);
        }
      }
      const uint64_t columns = width - left < found->tile.width ? width - left : found->tile.width;
      for (uint64_t y = top; y < found->size.height && y < top + found->tile.height; y++) {
        if (status != ci_done) break;
        const uint8_t *rows[6] = {NULL};
        for (int part = 0; part < parts; part++) {
          rows[part] = samples + (size_t)length * (size_t)part + (size_t)((y - top) * stride);
        }
        to_rgb(rows, (size_t)columns, found, canvas, (size_t)(y * width + left));
      }
    }
  }
  free(samples);
  return status;
}

// Luma and chroma of different sizes, by libtiff's own way to RGBA.
static ci_status read_chroma(TIFF *file, reader *self, ci_canvas *canvas) {
  const size_t width = canvas->size.width, height = canvas->size.height;
  TIFFRGBAImage image;
  char words[1024] = "";
  if (!TIFF_(TIFFRGBAImageBegin)(&image, file, 1, words)) {
    return failed(self->failure, ci_unsupported, "%s", words);
  }
  image.req_orientation = image.orientation;
  uint32_t *pixels = malloc(width * height * 4);
  ci_status status = pixels == NULL ? ci_out_of_memory : ci_done;
  if (status == ci_done &&
      !TIFF_(TIFFRGBAImageGet)(&image, pixels, (uint32_t)width, (uint32_t)height)) {
    status = damaged(self);
  }
  for (size_t place = 0; place < width * height && status == ci_done; place++) {
    canvas->rgb[3 * place] = (uint8_t)TIFFGetR(pixels[place]);
    canvas->rgb[3 * place + 1] = (uint8_t)TIFFGetG(pixels[place]);
    canvas->rgb[3 * place + 2] = (uint8_t)TIFFGetB(pixels[place]);
    if (canvas->alpha != NULL) canvas->alpha[place] = (uint8_t)TIFFGetA(pixels[place]);
  }
  free(pixels);
  TIFF_(TIFFRGBAImageEnd)(&image);
  return status;
}

ci_status tiff_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  reader self = {.source = source, .failure = failure};
  TIFF *file;
  ci_status status = open_file(&self, &file);
  if (status != ci_done) return status;
  layout found;
  status = read_layout(file, &found, &self);
  if (status != ci_done) {
  } else if (found.size.width != canvas->size.width || found.size.height != canvas->size.height) {
    status = failed(failure, ci_damaged, "the size changed");
  } else if (found.is_chroma) {
    status = read_chroma(file, &self, canvas);
  } else if (found.is_tiled) {
    status = read_tiles(file, &found, &self, canvas);
  } else {
    status = read_strips(file, &found, &self, canvas);
  }
  TIFF_(TIFFClose)(file);
  return status;
}
