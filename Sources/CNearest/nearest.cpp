#include "CNearest.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

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

/// The beginning of a file of hnswlib's, which goes on with the rows of the ground level, and then
/// for each row the bytes of its links above and those links.
struct header {
  uint64_t ground_offset, capacity, count, row_size, label_offset, data_offset;
  int32_t top;
  uint32_t entry;
  uint64_t links, ground_links, made_with_links;
  double spread;
  uint64_t effort;
};
static_assert(sizeof(header) == 96, "the numbers stand side by side in the file");

/// Whether a file of `count` rows may begin so; what it says is what sizes and places are computed
/// from while it is read.
bool is_sound(const header &head, size_t count) {
  return head.ground_offset == 0 && head.count == count && head.capacity == count &&
         count <= (size_t)std::numeric_limits<int32_t>::max() && head.links >= 1 &&
         head.links <= 10000 && head.made_with_links == head.links &&
         head.ground_links == 2 * head.links && head.data_offset == 4 + 4 * head.ground_links &&
         head.label_offset == head.data_offset + sizeof(uint64_t) &&
         head.row_size == head.label_offset + sizeof(uint64_t) && head.top >= 0 &&
         head.entry < count;
}

using hierarchy = hnswlib::HierarchicalNSW<float>;

/// Whether every link of a graph that was read from `size` bytes leads to a row on its level, and
/// every row has a number of its own: the library follows what it read without a look.
bool is_sound(const hierarchy &graph, uint64_t size) {
  const size_t count = graph.cur_element_count;
  if (graph.element_levels_[graph.enterpoint_node_] != graph.maxlevel_) return false;
  std::vector<bool> is_taken(count);
  uint64_t read = sizeof(header) + count * (graph.size_data_per_element_ + sizeof(uint32_t));
  for (size_t i = 0; i < count; i++) {
    const int levels = graph.element_levels_[i];
    if (levels > graph.maxlevel_) return false;
    read += (uint64_t)levels * graph.size_links_per_element_;
    uint64_t row;
    memcpy(&row, graph.getDataByInternalId(i), sizeof row);
    if (row >= count || graph.getExternalLabel(i) != row || is_taken[row]) return false;
    is_taken[row] = true;
    for (int level = 0; level <= levels; level++) {
      const uint32_t *list = graph.get_linklist_at_level(i, level);
      // The number of links in 16 bits, and beside it a mark of deletion that nothing here makes.
      if (list[0] > (level > 0 ? graph.maxM_ : graph.maxM0_)) return false;
      for (uint32_t k = 1; k <= list[0]; k++) {
        if (list[k] >= count || graph.element_levels_[list[k]] < level) return false;
      }
    }
  }
  return read == size;
}

void tell(char *message, const char *why) { snprintf(message, CN_MESSAGE, "%s", why); }

}  // namespace

struct cn_graph {
  space rows;
  std::unique_ptr<hierarchy> graph;

  cn_graph(const float *rows, size_t width) : rows(rows, width) {}
};

cn_graph *cn_make(
    const float *rows, size_t count, size_t width, size_t links, size_t effort, char *message) {
  try {
    auto made = std::make_unique<cn_graph>(rows, width);
    made->graph = std::make_unique<hierarchy>(&made->rows, count, links, effort);
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

int cn_save(const cn_graph *graph, cn_write write, void *context) {
  const hierarchy &g = *graph->graph;
  const header head = {
      g.offsetLevel0_, g.max_elements_, g.cur_element_count, g.size_data_per_element_,
      g.label_offset_, g.offsetData_, g.maxlevel_, g.enterpoint_node_, g.maxM_, g.maxM0_, g.M_,
      g.mult_, g.ef_construction_};
  if (!write(&head, sizeof head, context)) return 0;
  if (!write(g.data_level0_memory_, head.count * head.row_size, context)) return 0;
  for (size_t i = 0; i < head.count; i++) {
    const uint32_t size = (uint32_t)(g.element_levels_[i] * g.size_links_per_element_);
    if (!write(&size, sizeof size, context)) return 0;
    if (size > 0 && !write(g.linkLists_[i], size, context)) return 0;
  }
  return 1;
}

cn_graph *cn_open(
    const char *path, const float *rows, size_t count, size_t width, char *message) {
  try {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    header head;
    if (!file.seekg(0) || !file.read((char *)&head, sizeof head) || !is_sound(head, count)) {
      tell(message, "it is damaged, or links another number of rows");
      return nullptr;
    }
    auto made = std::make_unique<cn_graph>(rows, width);
    made->graph = std::make_unique<hierarchy>(&made->rows, path);
    // The library counts on from what happens to stand there.
    made->graph->num_deleted_ = 0;
    if (!is_sound(*made->graph, (uint64_t)size)) {
      tell(message, "it is damaged, its links lead outside it");
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
