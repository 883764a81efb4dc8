// A loop over several threads. Products of one token take tens of microseconds each, so the helping
// threads stay: after a loop they watch for the next one for a moment, then sleep.
#include "CKernels.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

// `gate` is the one word that starts and ends a loop: which loop (upper half), whether it may still
// be joined, how many helpers may, and how many are inside. Helpers enter by exchanging the whole
// word, so none enters a loop that its caller has closed.
#define OPEN (1u << 31)
#define LIMIT_SHIFT 12
#define INSIDE 0xFFFu
enum { MOST_HELPERS = 255, WATCH_TURNS = 4000, TURNS_BEFORE_YIELD = 2000 };

static pthread_mutex_t callers = PTHREAD_MUTEX_INITIALIZER;  // held for the length of a loop
static int helper_count;                                      // guarded by callers
static _Atomic uint64_t gate;
static _Atomic uint32_t loops, sleepers;  // loops: what sleepers wait on
static _Atomic size_t next_index;
static size_t index_count;
static void (*loop_body)(void *, size_t);
static void *loop_context;

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void take_indices(void) {
  for (;;) {
    const size_t index = atomic_fetch_add_explicit(&next_index, 1, memory_order_relaxed);
    if (index >= index_count) return;
    loop_body(loop_context, index);
  }
}

static void *help(void *unused) {
  uint64_t last = 0;
  for (;;) {
    const uint32_t seen = atomic_load(&loops);
    uint64_t word = atomic_load(&gate);
    for (int turn = 0; turn < WATCH_TURNS && (word >> 32 == last || !(word & OPEN)); turn++) {
      pause_briefly();
      word = atomic_load_explicit(&gate, memory_order_acquire);
    }
    if (word >> 32 == last || !(word & OPEN)) {
      atomic_fetch_add(&sleepers, 1);
      syscall(SYS_futex, &loops, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
      atomic_fetch_sub(&sleepers, 1);
      continue;
    }
    while ((word & OPEN) && (word & INSIDE) < (word >> LIMIT_SHIFT & INSIDE))
      if (atomic_compare_exchange_weak(&gate, &word, word + 1)) {
        take_indices();
        atomic_fetch_sub(&gate, 1);
        break;
      }
    last = word >> 32;
  }
  return unused;
}

// Makes helpers until there are `wanted`; fewer where the system refuses.
static void make_helpers(int wanted) {
  pthread_attr_t attributes;
  if (helper_count >= wanted || pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  while (helper_count < wanted && pthread_create(&thread, &attributes, help, NULL) == 0)
    helper_count++;
  pthread_attr_destroy(&attributes);
}

void ck_parallel(size_t count, size_t threads, void (*body)(void *, size_t), void *context) {
  const size_t useful = threads < count ? threads : count;
  const uint64_t helpers = useful > MOST_HELPERS ? MOST_HELPERS : useful > 0 ? useful - 1 : 0;
  // A loop inside a loop, or beside another one's, runs on the thread it is on.
  if (helpers == 0 || pthread_mutex_trylock(&callers) != 0) {
    for (size_t index = 0; index < count; index++) body(context, index);
    return;
  }
  make_helpers((int)helpers);
  loop_body = body;
  loop_context = context;
  index_count = count;
  atomic_store(&next_index, 0);
  const uint64_t turn = ((atomic_load(&gate) >> 32) + 1) << 32;
  atomic_store(&gate, turn | OPEN | helpers << LIMIT_SHIFT);
  atomic_fetch_add(&loops, 1);
  // No more than may join: loops that once had many helpers leave all of them asleep.
  if (atomic_load(&sleepers) > 0)
    syscall(SYS_futex, &loops, FUTEX_WAKE_PRIVATE, (int)helpers, NULL, NULL, 0);
  take_indices();
  atomic_fetch_and(&gate, ~(uint64_t)OPEN);
  for (int waited = 0; atomic_load(&gate) & INSIDE; waited++) {
    if (waited < TURNS_BEFORE_YIELD) pause_briefly();
    else sched_yield();
  }
  pthread_mutex_unlock(&callers);
}
