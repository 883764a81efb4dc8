#include "CNearest.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <string>

// The distance is our own, chosen at run time; the library's would be chosen when compiling.
#define NO_MANUAL_VECTORIZATION
#include <hnswlib/hnswlib.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

namespace {

typedef float lanes __attribute__((vector_size(64), aligned(4)));

/// The product of two rows, summed in one order whatever the machine.
CLONES float product(const float *a, const float *b, size_t width) {
  lanes sums[2] = {};
  size_t i = 0;
  for (; i + 32 <= width; i += 32) {
    for (int k = 0; k < 2; k++) {
      sums[k] += *(const lanes *)(a + i + 16 * k) * *(const lanes *)(b + i + 16 * k);
    }
  }
  sums[0] += sums[1];
  float sum = 0;
  for (int k = 0; k < 16; k++) sum += sums[0][k];
  for (; i < width; i++) sum += a[i] * b[i];
  return sum;
}

/// What the library keeps of a row, or is asked about: a row's number, or a vector from outside.
struct item {
  static constexpr uint64_t outside = std::numeric_limits<uint64_t>::max();
  uint64_t row;
  const float *vector;
};

/// Rows that lie elsewhere, as the library's space.
class space final : public hnswlib::SpaceInterface<float> {
 public:
  space(const float *rows, size_t width) : rows(rows), width(width) {}

  size_t get_data_size() override { return sizeof(uint64_t); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance; }
  void *get_dist_func_param() override { return this; }

 private:
  const float *rows;
  size_t width;

  const float *vector(const void *data) const {
    uint64_t row;
    memcpy(&row, data, sizeof row);
    if (row != item::outside) return rows + row * width;
    return static_cast<const item *>(data)->vector;
  }

  static float distance(const void *a, const void *b, const void *parameter) {
    const space *self = static_cast<const space *>(parameter);
    return 1 - product(self->vector(a), self->vector(b), self->width);
  }
};

void tell(char *message, const char *why) { snprintf(message, CN_MESSAGE, "%s", why); }

}  // namespace

struct cn_graph {
  space rows;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;

  cn_graph(const float *rows, size_t width) : rows(rows, width) {}
};

cn_graph *cn_make(
    const float *rows, size_t count, size_t width, size_t links, size_t effort, char *message) {
  try {
    auto made = std::make_unique<cn_graph>(rows, width);
    made->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(
        &made->rows, count, links, effort);
    return made.release();
  } catch (const std::exception &error) {
    tell(message, error.what());
    return nullptr;
  }
}

int cn_add(cn_graph *graph, size_t row, char *message) {
  try {
    const uint64_t number = row;
    graph->graph->addPoint(&number, row);
    return 1;
  } catch (const std::exception &error) {
    tell(message, error.what());
    return 0;
  }
}

int cn_save(const cn_graph *graph, const char *path, char *message) {
  try {
    graph->graph->saveIndex(path);
    return 1;
  } catch (const std::exception &error) {
    tell(message, error.what());
    return 0;
  }
}

cn_graph *cn_open(
    const char *path, const float *rows, size_t count, size_t width, char *message) {
  try {
    auto made = std::make_unique<cn_graph>(rows, width);
    made->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&made->rows, path);
    if (made->graph->cur_element_count != count) {
      tell(message, "it links another number of rows");
      return nullptr;
    }
    return made.release();
  } catch (const std::exception &error) {
    tell(message, error.what());
    return nullptr;
  }
}

int64_t cn_nearest(
    const cn_graph *graph, const float *query, size_t wanted, size_t effort, uint64_t *rows,
    float *cosines, char *message) {
  try {
    const item asked = {item::outside, query};
    graph->graph->setEf(effort < wanted ? wanted : effort);
    auto found = graph->graph->searchKnn(&asked, wanted);
    const size_t count = found.size();
    for (size_t place = count; place-- > 0; found.pop()) {
      rows[place] = found.top().second;
      cosines[place] = 1 - found.top().first;
    }
    return (int64_t)count;
  } catch (const std::exception &error) {
    tell(message, error.what());
    return -1;
  }
}

void cn_free(cn_graph *graph) { delete graph; }
