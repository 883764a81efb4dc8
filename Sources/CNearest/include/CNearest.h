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

/// Writes the graph's links; 0 where it failed. What is written is not settled on the disk.
int cn_save(const cn_graph *graph, const char *path, char *message);

/// Reads what `cn_save` wrote, unchanged, over the same rows; NULL where it failed.
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
