#include "codec.h"

#include <gif_lib.h>

// giflib; the first picture alone, on a canvas of the transparent colour, or else of colour 0.

static library giflib = {.file = "libgif.so"};

#define GIF(name) ((__typeof__(&name))library_symbol(&giflib, #name))

static int opens(ci_failure *failure) {
  static const char *const names[] = {
      "DGifOpen",         "DGifCloseFile",        "DGifGetRecordType",   "DGifGetImageDesc",
      "DGifGetExtension", "DGifGetExtensionNext", "DGifExtensionToGCB", "DGifGetLine",
      "GifErrorString",   NULL};
  return library_opens(&giflib, names, failure);
}

typedef struct {
  const ci_source *source;
  size_t offset;
} reader;

static int read_bytes(GifFileType *file, GifByteType *out, int count) {
  reader *self = file->UserData;
  const size_t rest = self->source->count - self->offset;
  const size_t some = (size_t)count < rest ? (size_t)count : rest;
  memcpy(out, self->source->bytes + self->offset, some);
  self->offset += some;
  return (int)some;
}

static ci_status status_of(int code, ci_failure *failure) {
  switch (code) {
    case D_GIF_ERR_READ_FAILED:
    case D_GIF_ERR_EOF_TOO_SOON:
      return ci_truncated;
    case D_GIF_ERR_NOT_ENOUGH_MEM:
      return ci_out_of_memory;
    default: {
      const char *words = GIF(GifErrorString)(code);
      return failed(failure, ci_damaged, "%s", words == NULL ? "giflib cannot decode it" : words);
    }
  }
}

// Reads up to the first picture's place; `transparent` is -1 for none.
static ci_status find_picture(GifFileType *file, const ci_source *source, int *transparent,
                              ci_failure *failure) {
  *transparent = -1;
  for (;;) {
    if (is_stopped(source)) return ci_stopped;
    GifRecordType kind;
    if (GIF(DGifGetRecordType)(file, &kind) == GIF_ERROR) return status_of(file->Error, failure);
    if (kind == IMAGE_DESC_RECORD_TYPE) {
      if (GIF(DGifGetImageDesc)(file) == GIF_ERROR) return status_of(file->Error, failure);
      return ci_done;
    }
    if (kind == TERMINATE_RECORD_TYPE) return failed(failure, ci_damaged, "it holds no picture");
    if (kind != EXTENSION_RECORD_TYPE) continue;
    int code;
    GifByteType *block;
    int is_good = GIF(DGifGetExtension)(file, &code, &block) != GIF_ERROR;
    while (is_good && block != NULL) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE && block[0] == 4 &&
          GIF(DGifExtensionToGCB)(block[0], block + 1, &control) == GIF_OK &&
          control.TransparentColor != NO_TRANSPARENT_COLOR) {
        *transparent = control.TransparentColor;
      }
      is_good = GIF(DGifGetExtensionNext)(file, &block) != GIF_ERROR;
    }
    if (!is_good) return status_of(file->Error, failure);
  }
}

static ci_status open_file(reader *self, GifFileType **file, int *transparent,
                           ci_failure *failure) {
  if (!opens(failure)) return ci_unsupported;
  int code = 0;
  *file = GIF(DGifOpen)(self, read_bytes, &code);
  if (*file == NULL) return status_of(code, failure);
  const ci_status status = find_picture(*file, self->source, transparent, failure);
  if (status != ci_done) GIF(DGifCloseFile)(*file, &code);
  return status;
}

static ci_size size_of(const GifFileType *file) {
  const GifImageDesc *picture = &file->Image;
  const uint32_t right = (uint32_t)picture->Left + (uint32_t)picture->Width;
  const uint32_t bottom = (uint32_t)picture->Top + (uint32_t)picture->Height;
  const uint32_t width = (uint32_t)file->SWidth, height = (uint32_t)file->SHeight;
  return (ci_size){right > width ? right : width, bottom > height ? bottom : height};
}

// Colours that a palette lacks are black; without a palette a number is a grey level.
static void fill_palette(const GifFileType *file, uint8_t palette[768]) {
  const ColorMapObject *colours = file->Image.ColorMap ? file->Image.ColorMap : file->SColorMap;
  for (int index = 0; index < 256; index++) {
    uint8_t *colour = palette + 3 * index;
    if (colours == NULL) {
      repeat_grey((uint8_t)index, colour);
    } else if (index < colours->ColorCount) {
      const GifColorType *found = colours->Colors + index;
      colour[0] = found->Red, colour[1] = found->Green, colour[2] = found->Blue;
    } else {
      repeat_grey(0, colour);
    }
  }
}

// Numbers, unless each is the grey level of its colour.
static ci_mode mode_of(const GifFileType *file, int has_key) {
  const ColorMapObject *colours = file->Image.ColorMap ? file->Image.ColorMap : file->SColorMap;
  for (int index = 0; colours != NULL && index < colours->ColorCount; index++) {
    const GifColorType *found = colours->Colors + index;
    if (found->Red != index || found->Green != index || found->Blue != index) return ci_numbers;
  }
  return has_key ? ci_keyed : ci_levels;
}

ci_status gif_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  reader self = {.source = source};
  GifFileType *file;
  int transparent, code;
  const ci_status status = open_file(&self, &file, &transparent, failure);
  if (status != ci_done) return status;
  header->size = size_of(file);
  header->has_alpha = transparent >= 0;
  header->mode = mode_of(file, header->has_alpha);
  header->working = 1 << 16;
  GIF(DGifCloseFile)(file, &code);
  return ci_done;
}

ci_status gif_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  reader self = {.source = source};
  GifFileType *file;
  int transparent, code;
  ci_status status = open_file(&self, &file, &transparent, failure);
  if (status != ci_done) return status;
  const ci_size size = size_of(file);
  const size_t width = canvas->size.width, count = width * canvas->size.height;
  const int columns = file->Image.Width, rows = file->Image.Height;
  uint8_t palette[768];
  fill_palette(file, palette);
  GifPixelType *line = malloc((size_t)columns + 1);
  if (line == NULL) {
    status = ci_out_of_memory;
  } else if (size.width != width || size.height != canvas->size.height) {
    status = failed(failure, ci_damaged, "the size changed");
  } else {
    const uint8_t *ground = palette + 3 * (transparent < 0 ? 0 : transparent);
    for (size_t pixel = 0; pixel < count; pixel++) memcpy(canvas->rgb + 3 * pixel, ground, 3);
    if (canvas->alpha != NULL) memset(canvas->alpha, transparent < 0 ? 255 : 0, count);
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (file->Image.Interlace ? 4 : 1) && status == ci_done; pass++) {
      const int step = file->Image.Interlace ? steps[pass] : 1;
      for (int row = starts[pass]; row < rows; row += step) {
        if (is_stopped(source)) {
          status = ci_stopped;
          break;
        }
        if (GIF(DGifGetLine)(file, line, columns) == GIF_ERROR) {
          status = status_of(file->Error, failure);
          break;
        }
        const size_t start = (size_t)(file->Image.Top + row) * width + (size_t)file->Image.Left;
        for (int x = 0; x < columns; x++) {
          const size_t pixel = start + (size_t)x;
          memcpy(canvas->rgb + 3 * pixel, palette + 3 * line[x], 3);
          if (canvas->alpha != NULL) canvas->alpha[pixel] = line[x] == transparent ? 0 : 255;
        }
        failure->row++;
      }
    }
  }
  free(line);
  GIF(DGifCloseFile)(file, &code);
  return status;
}
