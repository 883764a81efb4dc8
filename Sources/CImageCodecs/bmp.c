#include "codec.h"

// Windows bitmaps. Of the libraries that read them none gives Pillow's bits (16-bit colour is
// rounded, RLE's gaps are filled otherwise), and the format is a header and rows.

typedef struct {
  ci_size size;
  int is_top_down, bits, compression;
  // Where each channel lies in a pixel's bytes, alpha last; -1 for none.
  int place[4];
  // Of 16 bits: 5 or 6 for green.
  int green_bits;
  uint32_t colour_count;
  int colour_size;
  size_t palette, data;
} layout;

enum { plain, rle8, rle4, bit_fields };

static int masks_are(const uint32_t masks[4], uint32_t r, uint32_t g, uint32_t b, uint32_t a) {
  return masks[0] == r && masks[1] == g && masks[2] == b && masks[3] == a;
}

// Which byte of a pixel holds the channels that the masks describe.
static int find_places(layout *found, const uint32_t masks[4]) {
  if (found->bits == 16) {
    if (masks[1] != 0x7E0 && masks[1] != 0x3E0) return 0;
    found->green_bits = masks[1] == 0x7E0 ? 6 : 5;
    return found->green_bits == 6 ? masks[0] == 0xF800 && masks[2] == 0x1F
                                  : masks[0] == 0x7C00 && masks[2] == 0x1F;
  }
  if (found->bits == 24) return masks[0] == 0xFF0000 && masks[1] == 0xFF00 && masks[2] == 0xFF;
  if (found->bits != 32) return 0;
  if (masks_are(masks, 0, 0, 0, 0)) {
    memcpy(found->place, (int[]){2, 1, 0, 3}, sizeof found->place);
    return 1;
  }
  for (int channel = 0; channel < 4; channel++) {
    int place = -1;
    for (int byte = 0; byte < 4; byte++) {
      if (masks[channel] == (uint32_t)0xFF << (8 * byte)) place = byte;
    }
    if (place < 0 && (channel < 3 || masks[3] != 0)) return 0;
    found->place[channel] = place;
  }
  return 1;
}

static ci_status read_layout(const ci_source *source, layout *found, ci_failure *failure) {
  const uint8_t *bytes = source->bytes;
  if (source->count < 26) return ci_truncated;
  memset(found, 0, sizeof *found);
  memcpy(found->place, (int[]){2, 1, 0, -1}, sizeof found->place);
  found->green_bits = 5;
  const uint32_t header = little32(bytes + 14);
  const int is_old = header == 12;
  if (!is_old && header != 40 && header != 52 && header != 56 && header != 64 && header != 108 &&
      header != 124) {
    return failed(failure, ci_unsupported, "a header of %u bytes", (unsigned)header);
  }
  size_t end = 14 + (size_t)header;
  if (source->count < end) return ci_truncated;
  if (is_old) {
    found->size = (ci_size){little16(bytes + 18), little16(bytes + 20)};
    found->bits = (int)little16(bytes + 24);
    found->colour_size = 3;
  } else {
    const int32_t height = (int32_t)little32(bytes + 22);
    found->is_top_down = height < 0;
    found->size.width = little32(bytes + 18);
    found->size.height = height < 0 ? (uint32_t)(-(int64_t)height) : (uint32_t)height;
    found->bits = (int)little16(bytes + 28);
    found->compression = (int)little32(bytes + 30);
    found->colour_count = little32(bytes + 46);
    found->colour_size = 4;
  }
  if (found->size.width > INT32_MAX) return failed(failure, ci_damaged, "a negative width");
  const int bits = found->bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return failed(failure, ci_unsupported, "%d bits a pixel", bits);
  }
  if (found->compression < plain || found->compression > bit_fields) {
    return failed(failure, ci_unsupported, "compression %d", found->compression);
  }
  if (found->compression == bit_fields) {
    uint32_t masks[4] = {0};
    const int count = header >= 56 ? 4 : 3;
    if (source->count < 54 + (size_t)count * 4) return ci_truncated;
    for (int index = 0; index < count; index++) masks[index] = little32(bytes + 54 + 4 * index);
    if (header == 40) end += 12;
    if (!find_places(found, masks)) {
      return failed(failure, ci_unsupported, "bit fields %X, %X, %X, %X", (unsigned)masks[0],
                    (unsigned)masks[1], (unsigned)masks[2], (unsigned)masks[3]);
    }
  } else if (found->compression != plain && bits != 8 && bits != 4) {
    return failed(failure, ci_unsupported, "run lengths of %d bits a pixel", bits);
  }
  if (found->colour_count == 0) found->colour_count = bits <= 8 ? 1u << bits : 0;
  found->palette = end;
  found->data = little32(bytes + 10);
  if (bits <= 8) {
    if (found->colour_count > 65536) return failed(failure, ci_damaged, "a palette too long");
    const size_t length = (size_t)found->colour_count * (size_t)found->colour_size;
    // A palette that the pixels would overlap is one that the offset forgot.
    if (found->data == 14 + (size_t)header) found->data += length;
    if (found->data == 0) found->data = end + length;
  } else if (found->data == 0) {
    found->data = end;
  }
  return ci_done;
}

// Colours that the palette lacks are black. Where each colour is the grey of its own number, numbers
// are grey levels; the answer is whether they are.
static int read_palette(const ci_source *source, const layout *found, uint8_t palette[768]) {
  memset(palette, 0, 768);
  int is_grey = 1;
  const uint32_t count = found->colour_count < 256 ? found->colour_count : 256;
  for (uint32_t index = 0; index < count; index++) {
    const size_t place = found->palette + (size_t)index * (size_t)found->colour_size;
    if (place + 3 > source->count) break;
    for (int channel = 0; channel < 3; channel++) {
      palette[3 * index + channel] = source->bytes[place + 2 - channel];
      const uint32_t level = found->colour_count == 2 ? index * 255 : index;
      is_grey &= palette[3 * index + channel] == level;
    }
  }
  for (uint32_t index = count; is_grey && index < 256; index++) {
    repeat_grey(found->colour_count == 2 ? 255 : (uint8_t)index, palette + 3 * index);
  }
  return is_grey;
}

ci_status bmp_header(const ci_source *source, ci_header *header, ci_failure *failure) {
  layout found;
  const ci_status status = read_layout(source, &found, failure);
  if (status != ci_done) return status;
  header->size = found.size;
  header->has_alpha = found.bits == 32 && found.place[3] >= 0;
  uint8_t palette[768];
  const int is_grey = found.bits > 8 || read_palette(source, &found, palette);
  header->mode = is_grey && (found.bits > 8 || found.colour_count != 2) ? ci_levels : ci_numbers;
  header->working =
      found.compression == rle8 || found.compression == rle4
          ? (uint64_t)found.size.width * found.size.height
          : 0;
  return ci_done;
}

// A row of colour numbers, 1, 4 or 8 bits each.
static void numbers_to_rgb(const uint8_t *in, uint32_t width, int bits, const uint8_t palette[768],
                           uint8_t *out) {
  const uint32_t in_byte = 8 / (uint32_t)bits;
  for (uint32_t x = 0; x < width; x++) {
    const int shift = 8 - bits * (int)(x % in_byte + 1);
    memcpy(out + 3 * (size_t)x, palette + 3 * (in[x / in_byte] >> shift & ((1 << bits) - 1)), 3);
  }
}

// A row of pixels of 16, 24 or 32 bits.
static void colours_to_rgb(const uint8_t *in, uint32_t width, const layout *found, uint8_t *out,
                           uint8_t *alpha) {
  for (size_t x = 0; x < width; x++, out += 3) {
    if (found->bits == 16) {
      const uint32_t pixel = little16(in + 2 * x);
      const uint32_t most = (1u << found->green_bits) - 1;
      out[0] = (uint8_t)((pixel >> (5 + found->green_bits) & 31) * 255 / 31);
      out[1] = (uint8_t)((pixel >> 5 & most) * 255 / most);
      out[2] = (uint8_t)((pixel & 31) * 255 / 31);
      continue;
    }
    const uint8_t *pixel = in + x * (size_t)found->bits / 8;
    for (int channel = 0; channel < 3; channel++) out[channel] = pixel[found->place[channel]];
    if (alpha != NULL) alpha[x] = pixel[found->place[3]];
  }
}

// Run lengths to one number a pixel, the bottom row first; what is skipped is colour 0.
static ci_status unpack(const ci_source *source, const layout *found, uint8_t *out,
                        ci_failure *failure) {
  const size_t width = found->size.width, count = width * found->size.height;
  const int is_four = found->compression == rle4;
  size_t place = found->data, done = 0, x = 0;
  memset(out, 0, count);
  while (done < count) {
    if ((place & 0xFFF) < 2 && is_stopped(source)) return ci_stopped;
    if (place > source->count || source->count - place < 2) return ci_truncated;
    size_t run = source->bytes[place];
    const uint8_t value = source->bytes[place + 1];
    place += 2;
    failure->row = (uint32_t)(done / width);
    if (run > 0) {
      if (x + run > width) run = width > x ? width - x : 0;
      for (size_t index = 0; index < run && done < count; index++) {
        out[done++] = !is_four ? value : index % 2 ? value & 15 : value >> 4;
      }
      x += run;
    } else if (value == 0) {
      done = (done + width - 1) / width * width;
      x = 0;
    } else if (value == 1) {
      // What is left is missing: Pillow refuses it as well.
      return ci_truncated;
    } else if (value == 2) {
      if (source->count - place < 2) return ci_truncated;
      const size_t skipped = source->bytes[place] + source->bytes[place + 1] * width;
      done = skipped < count - done ? done + skipped : count;
      x = done % width;
      place += 2;
    } else {
      const size_t some = value < count - done ? value : count - done;
      const size_t length = is_four ? (some + 1) / 2 : some;
      if (source->count - place < length) return ci_truncated;
      for (size_t index = 0; index < some; index++) {
        const uint8_t byte = source->bytes[place + (is_four ? index / 2 : index)];
        out[done++] = !is_four ? byte : index % 2 ? byte & 15 : byte >> 4;
      }
      x += value;
      place += length;
      // The next run begins at an even place.
      if (place & 1) place++;
    }
  }
  return ci_done;
}

ci_status bmp_decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure) {
  layout found;
  ci_status status = read_layout(source, &found, failure);
  if (status != ci_done) return status;
  if (found.size.width != canvas->size.width || found.size.height != canvas->size.height) {
    return failed(failure, ci_damaged, "the size changed");
  }
  uint8_t palette[768];
  if (found.bits <= 8) read_palette(source, &found, palette);
  const int is_packed = found.compression == rle8 || found.compression == rle4;
  size_t stride = (((size_t)found.size.width * (size_t)found.bits + 31) >> 3) & ~(size_t)3;
  const uint8_t *rows = source->bytes + found.data;
  uint8_t *unpacked = NULL;
  if (is_packed) {
    stride = found.size.width;
    unpacked = malloc(stride * found.size.height);
    if (unpacked == NULL) return ci_out_of_memory;
    status = unpack(source, &found, unpacked, failure);
    rows = unpacked;
  }
  const size_t there =
      is_packed ? SIZE_MAX : found.data < source->count ? source->count - found.data : 0;
  // The padding of the last row is not missed.
  const size_t needed = ((size_t)found.size.width * (size_t)found.bits + 7) / 8;
  for (uint32_t row = 0; row < found.size.height && status == ci_done; row++) {
    if (is_stopped(source)) {
      status = ci_stopped;
      break;
    }
    if (!is_packed && (there < needed || (there - needed) / stride < row)) {
      status = ci_truncated;
      break;
    }
    const size_t y = found.is_top_down ? row : found.size.height - 1 - row;
    uint8_t *out = canvas->rgb + y * found.size.width * 3;
    const uint8_t *in = rows + stride * row;
    if (found.bits <= 8) {
      numbers_to_rgb(in, found.size.width, is_packed ? 8 : found.bits, palette, out);
    } else {
      uint8_t *alpha = canvas->alpha == NULL ? NULL : canvas->alpha + y * found.size.width;
      colours_to_rgb(in, found.size.width, &found, out, alpha);
    }
    failure->row = row + 1;
  }
  free(unpacked);
  return status;
}
