/*
 * The peer of the dimer kernels in plain C, for `gcc -O3 -march=native`: energy + gradient and Monte Carlo, with 16
 * samples (or chains) side by side in the innermost loop so that the compiler vectorises over them.
 *
 *   dimer_peer gradient N    nanoseconds per configuration, N repetitions of 1024 configurations, then Σ energy
 *   dimer_peer metropolis N  nanoseconds per move, N sweeps of 16 chains, then the acceptance rate
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES 16
#define PARTICLES 38
#define DIM (2 * PARTICLES)
#define BATCH 1024

static const double epsilon = 1, sigma = 1.1, stiffness = 20, slope = 2, quadratic = 25, quartic = 10, middle = 1.5,
                    half = 3, box = 200;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double beyond(double v) { return v > half ? v - half : v < -half ? v + half : 0; }

/* Energies and gradients of LANES rows of x. */
static void gradients(const double *restrict x, double *restrict energy, double *restrict gradient) {
  static double p[DIM][LANES], g[DIM][LANES], e[LANES];
  const double s2 = sigma * sigma;
  for (int l = 0; l < LANES; l++)
    for (int c = 0; c < DIM; c++) p[c][l] = x[l * DIM + c];
  for (int l = 0; l < LANES; l++) e[l] = 0;
  for (int c = 0; c < DIM; c++)
    for (int l = 0; l < LANES; l++) {
      double o = beyond(p[c][l]);
      e[l] += box * o * o;
      g[c][l] = 2 * box * o;
    }
  for (int i = 0; i < PARTICLES; i++)
    for (int j = i < 2 ? 2 : i + 1; j < PARTICLES; j++)
      for (int l = 0; l < LANES; l++) {
        double dx = p[2 * i][l] - p[2 * j][l], dy = p[2 * i + 1][l] - p[2 * j + 1][l];
        double inverse = 1 / (dx * dx + dy * dy);
        double q = s2 * inverse, q3 = q * q * q, term = epsilon * q3 * q3;
        double f = -12 * term * inverse;
        e[l] += term;
        g[2 * i][l] += f * dx;
        g[2 * i + 1][l] += f * dy;
        g[2 * j][l] -= f * dx;
        g[2 * j + 1][l] -= f * dy;
      }
  for (int l = 0; l < LANES; l++) {
    double dx = p[0][l] - p[2][l], dy = p[1][l] - p[3][l], d = sqrt(dx * dx + dy * dy), y = 2 * (d - middle);
    double sx = p[0][l] + p[2][l];
    e[l] += slope * y - quadratic * y * y + quartic * y * y * y * y;
    e[l] += stiffness * (sx * sx + p[1][l] * p[1][l] + p[3][l] * p[3][l]);
    double f = 2 * (slope - 2 * quadratic * y + 4 * quartic * y * y * y) / d;
    g[0][l] += f * dx + 2 * stiffness * sx;
    g[1][l] += f * dy + 2 * stiffness * p[1][l];
    g[2][l] += -f * dx + 2 * stiffness * sx;
    g[3][l] += -f * dy + 2 * stiffness * p[3][l];
    energy[l] = e[l];
  }
  for (int l = 0; l < LANES; l++)
    for (int c = 0; c < DIM; c++) gradient[l * DIM + c] = g[c][l];
}

static uint64_t seed = 1;

static double uniform(void) {
  uint64_t z = (seed += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return ((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* Both basins on the grid of the published start, shaken a little. */
static void start(double *row, double d, double shake) {
  row[0] = -d / 2, row[1] = 0, row[2] = d / 2, row[3] = 0;
  for (int k = 0; k < PARTICLES - 2; k++) {
    row[4 + 2 * k] = 1.05 * (-4 + 8.0 / 7 * (1 + k / 6));
    row[5 + 2 * k] = 1.05 * (-4 + 8.0 / 7 * (1 + k % 6));
  }
  for (int c = 0; c < DIM; c++) row[c] += shake * (uniform() - 0.5);
}

static uint64_t words[4][LANES];

static void uniforms(double *u) {
  for (int l = 0; l < LANES; l++) {
    uint64_t r = words[0][l] + words[3][l], t = words[1][l] << 17;
    words[2][l] ^= words[0][l];
    words[3][l] ^= words[1][l];
    words[1][l] ^= words[2][l];
    words[0][l] ^= words[3][l];
    words[2][l] ^= t;
    words[3][l] = words[3][l] << 45 | words[3][l] >> 19;
    uint64_t bits = r >> 12 | 0x3ff0000000000000ull;
    double one;
    memcpy(&one, &bits, 8);
    u[l] = one - 1;
  }
}

static double dimer(double x, double y, double xo, double yo) {
  double dx = x - xo, dy = y - yo, w = 2 * (sqrt(dx * dx + dy * dy) - middle);
  return slope * w - quadratic * w * w + quartic * w * w * w * w + stiffness * ((x + xo) * (x + xo) + y * y);
}

/* One sweep of LANES chains: every particle is offered one move. Returns the number of accepted moves. */
static long sweep(double (*restrict x)[LANES], double (*restrict y)[LANES], double step) {
  const double s2 = sigma * sigma;
  double u[LANES], v[LANES], w[LANES], xn[LANES], yn[LANES], change[LANES];
  long accepted = 0;
  for (int i = 0; i < PARTICLES; i++) {
    uniforms(u);
    uniforms(v);
    uniforms(w);
    for (int l = 0; l < LANES; l++) {
      xn[l] = x[i][l] + step * (2 * u[l] - 1);
      yn[l] = y[i][l] + step * (2 * v[l] - 1);
      change[l] = 0;
    }
    for (int j = i < 2 ? 2 : 0; j < PARTICLES; j++) {
      if (j == i) continue;
      for (int l = 0; l < LANES; l++) {
        double ax = x[i][l] - x[j][l], ay = y[i][l] - y[j][l], bx = xn[l] - x[j][l], by = yn[l] - y[j][l];
        double a = s2 / (ax * ax + ay * ay), b = s2 / (bx * bx + by * by);
        double a3 = a * a * a, b3 = b * b * b;
        change[l] += b3 * b3 - a3 * a3;
      }
    }
    for (int l = 0; l < LANES; l++) {
      double a = beyond(x[i][l]), b = beyond(y[i][l]), c = beyond(xn[l]), d = beyond(yn[l]);
      change[l] = epsilon * change[l] + box * (c * c + d * d - a * a - b * b);
    }
    if (i < 2)
      for (int l = 0; l < LANES; l++)
        change[l] += dimer(xn[l], yn[l], x[1 - i][l], y[1 - i][l]) - dimer(x[i][l], y[i][l], x[1 - i][l], y[1 - i][l]);
    for (int l = 0; l < LANES; l++) {
      int accept = w[l] < exp(-change[l]);
      x[i][l] = accept ? xn[l] : x[i][l];
      y[i][l] = accept ? yn[l] : y[i][l];
      accepted += accept;
    }
  }
  return accepted;
}

int main(int argc, char **argv) {
  const int repetitions = argc > 2 ? atoi(argv[2]) : 100;
  if (argc > 1 && strcmp(argv[1], "metropolis") == 0) {
    static double x[PARTICLES][LANES], y[PARTICLES][LANES];
    for (int l = 0; l < LANES; l++) {
      double row[DIM];
      start(row, l % 2 ? 2.05 : 1, 0);
      for (int i = 0; i < PARTICLES; i++) x[i][l] = row[2 * i], y[i][l] = row[2 * i + 1];
      for (int k = 0; k < 4; k++) words[k][l] = (uint64_t)(uniform() * 0x1p53) * 2048 + l;
    }
    for (int s = 0; s < 2000; s++) sweep(x, y, 0.2);
    long accepted = 0;
    double begin = seconds();
    for (int s = 0; s < repetitions; s++) accepted += sweep(x, y, 0.2);
    double moves = (double)repetitions * PARTICLES * LANES;
    printf("%.4f %.4f\n", 1e9 * (seconds() - begin) / moves, accepted / moves);
    return 0;
  }
  double *x = malloc(sizeof(double) * BATCH * DIM), *g = malloc(sizeof(double) * BATCH * DIM), energy[BATCH], sum = 0;
  for (int s = 0; s < BATCH; s++) start(x + s * DIM, s % 2 ? 2.05 : 1, 0.05);
  double begin = seconds();
  for (int r = 0; r < repetitions; r++)
    for (int s = 0; s < BATCH; s += LANES) gradients(x + s * DIM, energy + s, g + s * DIM);
  double elapsed = seconds() - begin;
  for (int s = 0; s < BATCH; s++) sum += energy[s] + 1e-9 * g[s * DIM];
  printf("%.4f %.6f\n", 1e9 * elapsed / repetitions / BATCH, sum);
  return 0;
}
