// AMX by the processor's manual, for processors without it: what they refuse as an illegal
// instruction arrives here as a signal, with the registers it reads and changes.
#define _GNU_SOURCE
#include "TileEmulator.h"

#if defined(__linux__) && defined(__x86_64__)
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

enum { REGISTERS = 8, ROWS = 16, ROW_SIZE = 64 };

// The state of one thread.
static _Thread_local struct {
  uint16_t row_size[16];
  uint8_t rows[16];
  uint8_t tiles[REGISTERS][ROWS][ROW_SIZE];
} state;

static _Atomic unsigned long products;
static struct sigaction before;

static float widened(const uint8_t *place) {
  uint32_t bits = 0;
  memcpy((uint8_t *)&bits + 2, place, 2);
  // Subnormal numbers count as zero.
  if ((bits & 0x7F800000) == 0) bits &= 0x80000000;
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static float flushed(float value) { return value < 0x1p-126f && value > -0x1p-126f ? 0 : value; }

// TDPBF16PS: even and odd columns have sums of their own, which are added to what was there.
static int multiply(int sums, int left, int right) {
  const int rows = state.rows[sums], columns = state.row_size[sums] / 4;
  const int pairs = state.row_size[left] / 4;
  if (rows == 0 || columns == 0 || state.rows[left] != rows || state.rows[right] != pairs ||
      state.row_size[right] != 4 * columns || sums == left || sums == right || left == right)
    return 0;
  for (int m = 0; m < rows; m++)
    for (int n = 0; n < columns; n++) {
      float even = 0, odd = 0;
      for (int k = 0; k < pairs; k++) {
        const uint8_t *a = state.tiles[left][m] + 4 * k, *b = state.tiles[right][k] + 4 * n;
        even = flushed(__builtin_fmaf(widened(a), widened(b), even));
        odd = flushed(__builtin_fmaf(widened(a + 2), widened(b + 2), odd));
      }
      float sum;
      memcpy(&sum, state.tiles[sums][m] + 4 * n, 4);
      sum = flushed(sum + flushed(even + odd));
      memcpy(state.tiles[sums][m] + 4 * n, &sum, 4);
    }
  atomic_fetch_add(&products, 1);
  return 1;
}

static int configure(const uint8_t *sizes) {
  if (sizes[0] != 1 || sizes[1] != 0) return 0;
  for (int i = 2; i < 16; i++)
    if (sizes[i] != 0) return 0;
  memset(&state, 0, sizeof state);
  memcpy(state.row_size, sizes + 16, sizeof state.row_size);
  memcpy(state.rows, sizes + 48, sizeof state.rows);
  for (int i = 0; i < 16; i++)
    if (state.row_size[i] > ROW_SIZE || state.rows[i] > ROWS ||
        (state.row_size[i] == 0) != (state.rows[i] == 0) || (i >= REGISTERS && state.rows[i]))
      return 0;
  return 1;
}

// A general register by its number in instructions.
static uint64_t general(const ucontext_t *context, int number) {
  static const int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t)context->uc_mcontext.gregs[places[number]];
}

// An instruction's place in memory, and the stride of its rows.
typedef struct {
  uint64_t address, stride;
  int length;
} operand;

static operand decode(const ucontext_t *context, const uint8_t *at, int extends_base,
                      int extends_index, uint64_t following) {
  operand place = {0, 0, 1};
  const int mode = at[0] >> 6;
  int base = at[0] & 7;
  const int has_index = base == 4;
  if (has_index) {
    const uint8_t second = at[place.length++];
    const int index = (second >> 3 & 7) | extends_index << 3;
    if (index != 4) place.stride = general(context, index) << (second >> 6);
    base = second & 7;
  }
  const int is_absolute = mode == 0 && base == 5;
  if (!is_absolute) place.address = general(context, base | extends_base << 3);
  if (mode == 1) place.address += (uint64_t)(int64_t)(int8_t)at[place.length++];
  if (mode == 2 || is_absolute) {
    int32_t displacement;
    memcpy(&displacement, at + place.length, 4);
    place.length += 4;
    place.address += (uint64_t)(int64_t)displacement;
    if (is_absolute && !has_index) place.address += following + (uint64_t)place.length;
  }
  return place;
}

// Carries out the instruction at `at` and gives its length, or 0 if it is none of these.
static int carry_out(const uint8_t *at, const ucontext_t *context) {
  // Three bytes of prefix that choose the table 0F38, 128 bits, W0.
  if (at[0] != 0xC4 || (at[1] & 0x1F) != 2 || (at[2] & 0x84) != 0) return 0;
  const int extends_index = !(at[1] & 0x40), extends_base = !(at[1] & 0x20);
  const int extra = ~at[2] >> 3 & 15, prefix = at[2] & 3, code = at[3], mode = at[4] >> 6;
  const int named = at[4] >> 3 & 7, other = at[4] & 7;
  if (code == 0x5C && prefix == 2 && mode == 3) return multiply(named, other, extra) ? 5 : 0;
  if (code == 0x49 && mode == 3) {
    if (prefix == 3) memset(state.tiles[named], 0, sizeof state.tiles[named]);
    else if (prefix == 0 && at[4] == 0xC0) memset(&state, 0, sizeof state);
    else return 0;
    return 5;
  }
  if (mode == 3) return 0;
  const operand place =
      decode(context, at + 4, extends_base, extends_index, (uint64_t)(uintptr_t)(at + 4));
  uint8_t *memory = (uint8_t *)(uintptr_t)place.address;
  if (code == 0x49 && prefix == 0) return configure(memory) ? 4 + place.length : 0;
  if (code != 0x4B || state.rows[named] == 0) return 0;
  const size_t size = state.row_size[named];
  for (int row = 0; row < ROWS; row++) {
    uint8_t *line = state.tiles[named][row], *there = memory + (uint64_t)row * place.stride;
    if (prefix == 2) {
      if (row < state.rows[named]) memcpy(there, line, size);
    } else if (row < state.rows[named]) {
      memset(line, 0, ROW_SIZE);
      memcpy(line, there, size);
    } else {
      memset(line, 0, ROW_SIZE);
    }
  }
  return 4 + place.length;
}

static void refused(int number, siginfo_t *info, void *context) {
  ucontext_t *registers = context;
  const uint8_t *at = (const uint8_t *)(uintptr_t)registers->uc_mcontext.gregs[REG_RIP];
  const int length = carry_out(at, registers);
  if (length > 0) registers->uc_mcontext.gregs[REG_RIP] += length;
  // Something else is illegal: it happens once more, to whom it concerned before.
  else sigaction(SIGILL, &before, NULL);
  (void)number, (void)info;
}

int emulate_tiles(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
  action.sa_sigaction = refused;
  return sigaction(SIGILL, &action, &before) == 0;
}

unsigned long emulated_products(void) { return products; }

#else
int emulate_tiles(void) { return 0; }
unsigned long emulated_products(void) { return 0; }
#endif
