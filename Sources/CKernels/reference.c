// The slow reference: everything in double precision, in plain order.
#include "CKernels.h"
#include <math.h>

void ck_float32_to_float64(const float *in, double *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = in[i];
}

void ck_float64_to_float32(const double *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = (float)in[i];
}

void ck_softmax_double(const float *in, float *out, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    double largest = -INFINITY, sum = 0;
    int bad = 0;
    for (size_t c = 0; c < columns; c++) {
      largest = x[c] > largest ? x[c] : largest;
      bad |= x[c] != x[c];
    }
    if (!bad && largest == -INFINITY) {
      for (size_t c = 0; c < columns; c++) y[c] = 0;
      continue;
    }
    // Infinity minus infinity is not a number, and so becomes the row.
    for (size_t c = 0; c < columns; c++) sum += exp(x[c] - largest);
    for (size_t c = 0; c < columns; c++) y[c] = (float)(exp(x[c] - largest) / sum);
  }
}

void ck_layer_norm_double(const float *in, const float *scale, const float *shift, float epsilon,
                          float *out, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    double mean = 0, squares = 0;
    for (size_t c = 0; c < columns; c++) mean += x[c];
    mean /= (double)columns;
    for (size_t c = 0; c < columns; c++) squares += (x[c] - mean) * (x[c] - mean);
    const double factor = 1 / sqrt(squares / (double)columns + (double)epsilon);
    for (size_t c = 0; c < columns; c++)
      y[c] = (float)((x[c] - mean) * factor * scale[c] + shift[c]);
  }
}

void ck_rms_norm_double(const float *in, const float *scale, float epsilon, float *out, size_t rows,
                        size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    double squares = 0;
    for (size_t c = 0; c < columns; c++) squares += (double)x[c] * (double)x[c];
    const double factor = 1 / sqrt(squares / (double)columns + (double)epsilon);
    for (size_t c = 0; c < columns; c++) y[c] = (float)(x[c] * factor * scale[c]);
  }
}

void ck_silu_double(const float *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double x = in[i];
    out[i] = (float)(x / (1 + exp(-x)));
  }
}

void ck_gelu_tanh_double(const float *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double x = in[i];
    out[i] = (float)(x / 2 * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))));
  }
}

void ck_quick_gelu_double(const float *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double x = in[i];
    out[i] = (float)(x / (1 + exp(-1.702 * x)));
  }
}

void ck_gelu_double(const float *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double x = in[i];
    out[i] = (float)(x / 2 * (1 + erf(x * 0.70710678118654752440)));
  }
}
