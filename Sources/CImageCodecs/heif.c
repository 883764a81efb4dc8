#include "codec.h"

#include <libheif/heif.h>

// libheif, for HEIC: it turns and mirrors as the file asks.

static library libheif = {.file = "libheif.so"};

#define HEIF(name) ((__typeof__(&name))library_symbol(&libheif, #name))

static ci_status status_of(struct heif_error error, ci_failure *failure) {
  ci_status status = ci_damaged;
  if (error.code == heif_error_Ok) return ci_done;
  if (error.code == heif_error_Memory_allocation_error) status = ci_out_of_memory;
  if (error.code == heif_error_Unsupported_feature ||
      error.code == heif_error_Unsupported_filetype) {
    status = ci_unsupported;
  }
  if (error.subcode == heif_suberror_End_of_data) status = ci_truncated;
  return failed(failure, status, "%s", error.message);
}

static ci_status open_file(const ci_source *source, struct heif_context **context,
                           struct heif_image_handle **picture, ci_failure *failure) {
  static const char *const names[] = {
      "heif_context_alloc",
      "heif_context_free",
      "heif_context_read_from_memory_without_copy",
      "heif_context_get_primary_image_handle",
      "heif_image_handle_release",
      "heif_image_handle_get_width",
      "heif_image_handle_get_height",
      "heif_image_handle_has_alpha_channel",
      "heif_image_handle_get_luma_bits_per_pixel",
      "heif_image_handle_is_premultiplied_alpha",
      "heif_decoding_options_alloc",
      "heif_decoding_options_free",
      "heif_decode_image",
      "heif_image_release",
      "heif_image_get_width",
      "heif_image_get_height",
      "heif_image_get_plane_readonly",
      NULL};
  if (!library_opens(&libheif, names, failure)) return ci_unsupported;
  *context = HEIF(heif_context_alloc)();
  if (*context == NULL) return ci_out_of_memory;
  struct heif_error error = HEIF(heif_context_read_from_memory_without_copy)(
      *context, source->bytes, source->count, NULL);
  if (error.code == heif_error_Ok) {
    error = HEIF(heif_context_get_primary_image_handle)(*context, picture);
  }
  if (error.code == heif_error_Ok) return ci_done;
  // The message belongs to the context.
  const ci_status status = status_of(error, failure);
  HEIF(heif_context_free)(*context);
  return status;
}

static void close_file(struct heif_context *context, struct heif_image_handle *picture) {
  HEIF(heif_image_handle_release)(picture);
  HEIF(heif_context_free)(context);
}

ci_status heif_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  struct heif_context *context;
  struct heif_image_handle *picture;
  const ci_status status = open_file(source, &context, &picture, failure);
  if (status != ci_done) return status;
  const int width = HEIF(heif_image_handle_get_width)(picture);
  const int height = HEIF(heif_image_handle_get_height)(picture);
  header->size = (ci_size){width < 0 ? 0 : (uint32_t)width, height < 0 ? 0 : (uint32_t)height};
  header->has_alpha = HEIF(heif_image_handle_has_alpha_channel)(picture) != 0;
  header->orientation = 1;
  // Planes, libde265's and the turned copies, and the channels, as measured.
  const int is_deep = HEIF(heif_image_handle_get_luma_bits_per_pixel)(picture) > 8;
  const uint64_t pixel = (is_deep ? 14 : 8) + (header->has_alpha ? 2 : 0);
  header->working = (uint64_t)header->size.width * header->size.height * pixel + LIBRARY_BYTES;
  close_file(context, picture);
  return ci_done;
}

static void copy_rows(const uint8_t *in, size_t stride, int is_premultiplied, ci_canvas *canvas) {
  const size_t width = canvas->size.width;
  for (size_t y = 0; y < canvas->size.height; y++, in += stride) {
    uint8_t *out = canvas->rgb + y * width * 3;
    if (canvas->alpha == NULL) {
      memcpy(out, in, width * 3);
      continue;
    }
    uint8_t *alpha = canvas->alpha + y * width;
    split_alpha(in, width, out, alpha);
    if (is_premultiplied) undo_premultiplying(out, alpha, width);
  }
}

ci_status heif_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  struct heif_context *context;
  struct heif_image_handle *picture;
  ci_status status = open_file(source, &context, &picture, failure);
  if (status != ci_done) return status;
  struct heif_image *image = NULL;
  struct heif_decoding_options *options = HEIF(heif_decoding_options_alloc)();
  if (options == NULL) {
    close_file(context, picture);
    return ci_out_of_memory;
  }
  options->convert_hdr_to_8bit = 1;
  status = status_of(
      HEIF(heif_decode_image)(
          picture, &image, heif_colorspace_RGB,
          canvas->alpha == NULL ? heif_chroma_interleaved_RGB : heif_chroma_interleaved_RGBA,
          options),
      failure);
  HEIF(heif_decoding_options_free)(options);
  if (status == ci_done) {
    int stride = 0;
    const uint8_t *rows =
        HEIF(heif_image_get_plane_readonly)(image, heif_channel_interleaved, &stride);
    const int width = HEIF(heif_image_get_width)(image, heif_channel_interleaved);
    const int height = HEIF(heif_image_get_height)(image, heif_channel_interleaved);
    if (rows == NULL || stride <= 0 || width < 0 || (uint32_t)width != canvas->size.width ||
        height < 0 || (uint32_t)height != canvas->size.height) {
      status = failed(failure, ci_damaged, "the size changed");
    } else {
      copy_rows(rows, (size_t)stride, HEIF(heif_image_handle_is_premultiplied_alpha)(picture),
                canvas);
    }
  }
  if (image != NULL) HEIF(heif_image_release)(image);
  close_file(context, picture);
  return status;
}
