#ifndef CNEAREST_H
#define CNEAREST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A graph of near neighbours (Malkov and Yashunin 2016, arXiv:1603.09320) by hnswlib, over rows of
// unit length that stay where the caller has them: the graph keeps links and row numbers alone.
// `rows` must outlive the graph. No C++ exception leaves these functions: where they fail they
// write why to `message`, at most CN_MESSAGE bytes with the zero at the end.

enum { CN_MESSAGE = 256 };

typedef struct cn_graph cn_graph;

/// An empty graph with room for `count` rows of `width` floats; NULL where memory is short.
/// Each row gets `links` links above the ground level and twice as many on it; `effort` candidates
/// are looked at for each row that is added.
cn_graph *cn_make(
    const float *rows, size_t count, size_t width, size_t links, size_t effort, char *message);

/// Adds a row. Row 0 alone first, then others, from several threads if wanted. 0 where it failed.
int cn_add(cn_graph *graph, size_t row, char *message);

/// Takes `count` bytes of a file, which follow those before; 0 ends the writing.
typedef int (*cn_write)(const void *bytes, size_t count, void *context);

/// Hands the bytes of the graph's file to `write`, with `context`; 0 where `write` gave 0.
int cn_save(const cn_graph *graph, cn_write write, void *context);

/// Reads a file of the bytes that `cn_save` gave, over as many rows; NULL where it failed. Any file
/// may be given: one that would lead a search outside the graph is not taken.
cn_graph *cn_open(
    const char *path, const float *rows, size_t count, size_t width, char *message);

/// Finds at most `wanted` rows near `query`, a row of unit length, looking at `effort` candidates:
/// their numbers and cosines, the nearest first. Gives back how many; -1 where it failed.
int64_t cn_nearest(
    const cn_graph *graph, const float *query, size_t wanted, size_t effort, uint64_t *rows,
    float *cosines, char *message);

/// Frees a graph; NULL is fine.
void cn_free(cn_graph *graph);

#ifdef __cplusplus
}
#endif

#endif
