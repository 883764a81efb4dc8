#ifndef TILE_EMULATOR_H
#define TILE_EMULATOR_H

/// From now on the instructions of AMX that multiply bfloat16 work in this process although its
/// processor has none: each is decoded and carried out where the processor refuses it, thousands
/// of times as slow. Gives 0, and changes nothing, where the system is not Linux on x86-64.
int emulate_tiles(void);

/// How many products of two registers have been emulated.
unsigned long emulated_products(void);

#endif
