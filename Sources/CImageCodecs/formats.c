#include "codec.h"

#include <dlfcn.h>

static const struct {
  read_header *header;
  decode *decode;
} readers[] = {
    [ci_png] = {png_header, png_decode},
    [ci_jpeg] = {jpeg_header, jpeg_decode},
    [ci_webp] = {webp_header, webp_decode},
    [ci_tiff] = {tiff_header, tiff_decode},
    [ci_gif] = {gif_header, gif_decode},
    [ci_bmp] = {bmp_header, bmp_decode},
    [ci_avif] = {avif_header, avif_decode},
    [ci_heif] = {heif_header, heif_decode},
    [ci_jpeg2000] = {jpeg2000_header, jpeg2000_decode},
};

// A line, whatever the library wrote.
static void on_one_line(ci_failure *failure) {
  for (char *letter = failure->message; *letter != 0; letter++) {
    if ((unsigned char)*letter < ' ' || *letter == 127) *letter = ' ';
  }
}

ci_status ci_read_header(ci_format format, const ci_source *source, ci_header *header,
                         ci_failure *failure) {
  memset(header, 0, sizeof *header);
  memset(failure, 0, sizeof *failure);
  const ci_status status = readers[format].header(source, header, failure);
  on_one_line(failure);
  return status;
}

ci_status ci_decode(ci_format format, const ci_source *source, ci_canvas *canvas,
                    ci_failure *failure) {
  memset(failure, 0, sizeof *failure);
  canvas->is_cut = 0;
  const ci_status status = readers[format].decode(source, canvas, failure);
  on_one_line(failure);
  return status;
}

// Two threads may open it at once: both get the same handle.
void *library_symbol(library *library, const char *name) {
  void *handle = __atomic_load_n(&library->handle, __ATOMIC_ACQUIRE);
  if (handle == NULL) {
    handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) return NULL;
    __atomic_store_n(&library->handle, handle, __ATOMIC_RELEASE);
  }
  return dlsym(handle, name);
}

int library_opens(library *library, const char *const *names, ci_failure *failure) {
  for (; *names != NULL; names++) {
    if (library_symbol(library, *names) == NULL) {
      failed(failure, ci_unsupported, "%s is missing here, or too old; run scripts/setup",
             library->file);
      return 0;
    }
  }
  return 1;
}

size_t ci_count_transparent(const uint8_t *alpha, size_t count) {
  size_t found = 0;
  for (size_t pixel = 0; pixel < count; pixel++) found += alpha[pixel] < 255;
  return found;
}

void ci_lay_on_white(const uint8_t *rgb, const uint8_t *alpha, size_t count, uint8_t *out) {
  for (size_t pixel = 0; pixel < count; pixel++) {
    const uint32_t weight = alpha[pixel] * 128u, rest = 255u * 128u - weight;
    for (int channel = 0; channel < 3; channel++) {
      const uint32_t sum = rgb[3 * pixel + channel] * weight + 255u * rest + (128u << 7);
      out[3 * pixel + channel] = alpha[pixel] == 0 ? 255 : (uint8_t)((((sum >> 8) + sum) >> 8) >> 7);
    }
  }
}
