#include "codec.h"

#include <webp/decode.h>
#include <webp/demux.h>

// libwebp, lossy and lossless; of an animation the first frame, on a clear canvas.

static library decoding = {.file = "libwebp.so"}, taking_apart = {.file = "libwebpdemux.so"};

#define DECODING(name) ((__typeof__(&name))library_symbol(&decoding, #name))
#define TAKING_APART(name) ((__typeof__(&name))library_symbol(&taking_apart, #name))

static int opens(ci_failure *failure) {
  static const char *const decoders[] = {
      "WebPGetFeaturesInternal", "WebPInitDecoderConfigInternal", "WebPDecode",
      "WebPFreeDecBuffer", NULL};
  static const char *const demuxers[] = {"WebPDemuxInternal", "WebPDemuxDelete", "WebPDemuxGetI",
                                         "WebPDemuxGetFrame", "WebPDemuxReleaseIterator", NULL};
  return library_opens(&decoding, decoders, failure) &&
         library_opens(&taking_apart, demuxers, failure);
}

static ci_status status_of(VP8StatusCode code, ci_failure *failure) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return ci_out_of_memory;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return failed(failure, ci_unsupported, "a feature that libwebp does not know");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return ci_truncated;
    default:
      return failed(failure, ci_damaged, "libwebp cannot decode it");
  }
}

static ci_status features(const uint8_t *bytes, size_t count, WebPBitstreamFeatures *found,
                          ci_failure *failure) {
  const VP8StatusCode code =
      DECODING(WebPGetFeaturesInternal)(bytes, count, found, WEBP_DECODER_ABI_VERSION);
  return code == VP8_STATUS_OK ? ci_done : status_of(code, failure);
}

ci_status webp_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  if (!opens(failure)) return ci_unsupported;
  WebPBitstreamFeatures found;
  const ci_status status = features(source->bytes, source->count, &found, failure);
  if (status != ci_done) return status;
  header->size = (ci_size){(uint32_t)found.width, (uint32_t)found.height};
  header->has_alpha = found.has_alpha;
  // The four channels it writes, and what is kept whole on the way: alpha of a lossy picture, all of
  // a lossless one.
  const int is_lossy = found.format == 1;
  const uint64_t pixel = 4 + (is_lossy ? (found.has_alpha ? 1 : 0) : 4);
  header->working = (uint64_t)found.width * (uint64_t)found.height * pixel + LIBRARY_BYTES;
  return ci_done;
}

// Decodes one frame to `pixels`[height, width, 4].
static ci_status decode_frame(WebPData data, ci_size size, uint8_t *pixels, ci_failure *failure) {
  WebPDecoderConfig config;
  if (!DECODING(WebPInitDecoderConfigInternal)(&config, WEBP_DECODER_ABI_VERSION)) {
    return failed(failure, ci_unsupported, "libwebp is of another version");
  }
  config.output.colorspace = MODE_RGBA;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = (WebPRGBABuffer){.rgba = pixels,
                                          .stride = (int)size.width * 4,
                                          .size = (size_t)size.width * size.height * 4};
  const VP8StatusCode code = DECODING(WebPDecode)(data.bytes, data.size, &config);
  DECODING(WebPFreeDecBuffer)(&config.output);
  return code == VP8_STATUS_OK ? ci_done : status_of(code, failure);
}

static void place(const uint8_t *pixels, ci_size size, uint32_t left, uint32_t top,
                  ci_canvas *canvas) {
  for (uint32_t y = 0; y < size.height; y++) {
    const size_t start = (size_t)(top + y) * canvas->size.width + left;
    for (uint32_t x = 0; x < size.width; x++, pixels += 4) {
      memcpy(canvas->rgb + (start + x) * 3, pixels, 3);
      if (canvas->alpha != NULL) canvas->alpha[start + x] = pixels[3];
    }
  }
}

ci_status webp_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  const WebPData data = {source->bytes, source->count};
  WebPDemuxState state;
  WebPDemuxer *parts = TAKING_APART(WebPDemuxInternal)(&data, 0, &state, WEBP_DEMUX_ABI_VERSION);
  if (parts == NULL) {
    return state == WEBP_DEMUX_PARSE_ERROR ? failed(failure, ci_damaged, "its chunks do not fit")
                                           : ci_truncated;
  }
  WebPIterator frame;
  uint8_t *pixels = NULL;
  ci_status status = ci_done;
  const int has_frame = TAKING_APART(WebPDemuxGetFrame)(parts, 1, &frame);
  if (TAKING_APART(WebPDemuxGetI)(parts, WEBP_FF_CANVAS_WIDTH) != canvas->size.width ||
      TAKING_APART(WebPDemuxGetI)(parts, WEBP_FF_CANVAS_HEIGHT) != canvas->size.height) {
    status = failed(failure, ci_damaged, "the size changed");
  } else if (!has_frame) {
    status = failed(failure, ci_damaged, "it has no frame");
  } else {
    const ci_size size = {(uint32_t)frame.width, (uint32_t)frame.height};
    WebPBitstreamFeatures found;
    status = features(frame.fragment.bytes, frame.fragment.size, &found, failure);
    if (status != ci_done) {
    } else if (found.width != frame.width || found.height != frame.height ||
               (uint64_t)frame.x_offset + size.width > canvas->size.width ||
               (uint64_t)frame.y_offset + size.height > canvas->size.height) {
      status = failed(failure, ci_damaged, "its first frame does not fit");
    } else if ((pixels = malloc((size_t)size.width * size.height * 4)) == NULL) {
      status = ci_out_of_memory;
    } else {
      const size_t count = (size_t)canvas->size.width * canvas->size.height;
      memset(canvas->rgb, 0, count * 3);
      if (canvas->alpha != NULL) memset(canvas->alpha, 0, count);
      status = decode_frame(frame.fragment, size, pixels, failure);
      if (status == ci_done) {
        place(pixels, size, (uint32_t)frame.x_offset, (uint32_t)frame.y_offset, canvas);
      }
    }
  }
  free(pixels);
  if (has_frame) TAKING_APART(WebPDemuxReleaseIterator)(&frame);
  TAKING_APART(WebPDemuxDelete)(parts);
  return status;
}
