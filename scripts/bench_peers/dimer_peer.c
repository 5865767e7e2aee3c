/*
 * The peer of the dimer kernels in plain C, for `gcc -O3 -march=native`: energies, gradients and Monte Carlo, with LANES
 * samples (or chains) side by side in the innermost loop so that the compiler vectorises over them.
 *
 *   dimer_peer energy|gradient N     nanoseconds per configuration, N repetitions of BATCH configurations, then a sum
 *   dimer_peer metropolis N          nanoseconds per move, N sweeps of LANES chains, then the acceptance rate
 *   dimer_peer FOLDER TASK 1         one of these tasks as a peer that answers lines, see serve.ts; FOLDER/frames.f64
 *                                    holds BATCH configurations, FOLDER/starts.f64 those of 16 chains
 *
 * REAL is the type of everything that is timed; sizes are constants of the compiler, which ours are not.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>
#include <time.h>

#ifndef REAL
#define REAL double
#endif
#ifndef PARTICLES
#define PARTICLES 38
#endif
#ifndef HALF
#define HALF 3
#endif
#ifndef BATCH
#define BATCH 1024
#endif
/* As a peer that answers lines it is started with the 16 chains of particles.ts. */
#ifndef LANES
#define LANES 16
#endif
#define DIM (2 * PARTICLES)
#ifndef BURN_IN
#define BURN_IN 2000
#endif
#ifndef COUNTED
#define COUNTED 4000
#endif

static const REAL epsilon = 1, sigma = (REAL)1.1, stiffness = 20, slope = 2, quadratic = 25, quartic = 10,
                  middle = (REAL)1.5, half = HALF, box = 200, longest = (REAL)0.2;

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static REAL beyond(REAL v) { return v > half ? v - half : v < -half ? v + half : 0; }

/* Energies and, if wanted, gradients of LANES rows of x. */
static inline __attribute__((always_inline)) void evaluate(const REAL *restrict x, REAL *restrict energy,
                                                           REAL *restrict gradient, const int wanted) {
  static REAL p[DIM][LANES], g[DIM][LANES], e[LANES];
  const REAL s2 = sigma * sigma;
  for (int l = 0; l < LANES; l++)
    for (int c = 0; c < DIM; c++) p[c][l] = x[l * DIM + c];
  for (int l = 0; l < LANES; l++) e[l] = 0;
  for (int c = 0; c < DIM; c++)
    for (int l = 0; l < LANES; l++) {
      REAL o = beyond(p[c][l]);
      e[l] += box * o * o;
      if (wanted) g[c][l] = 2 * box * o;
    }
  for (int i = 0; i < PARTICLES; i++)
    for (int j = i < 2 ? 2 : i + 1; j < PARTICLES; j++)
      for (int l = 0; l < LANES; l++) {
        REAL dx = p[2 * i][l] - p[2 * j][l], dy = p[2 * i + 1][l] - p[2 * j + 1][l];
        REAL inverse = 1 / (dx * dx + dy * dy);
        REAL q = s2 * inverse, q3 = q * q * q, term = epsilon * q3 * q3;
        e[l] += term;
        if (!wanted) continue;
        REAL f = -12 * term * inverse;
        g[2 * i][l] += f * dx;
        g[2 * i + 1][l] += f * dy;
        g[2 * j][l] -= f * dx;
        g[2 * j + 1][l] -= f * dy;
      }
  for (int l = 0; l < LANES; l++) {
    REAL dx = p[0][l] - p[2][l], dy = p[1][l] - p[3][l], d = sqrt(dx * dx + dy * dy), y = 2 * (d - middle);
    REAL sx = p[0][l] + p[2][l];
    e[l] += slope * y - quadratic * y * y + quartic * y * y * y * y;
    e[l] += stiffness * (sx * sx + p[1][l] * p[1][l] + p[3][l] * p[3][l]);
    energy[l] = e[l];
    if (!wanted) continue;
    REAL f = 2 * (slope - 2 * quadratic * y + 4 * quartic * y * y * y) / d;
    g[0][l] += f * dx + 2 * stiffness * sx;
    g[1][l] += f * dy + 2 * stiffness * p[1][l];
    g[2][l] += -f * dx + 2 * stiffness * sx;
    g[3][l] += -f * dy + 2 * stiffness * p[3][l];
  }
  for (int l = 0; wanted && l < LANES; l++)
    for (int c = 0; c < DIM; c++) gradient[l * DIM + c] = g[c][l];
}

static void gradients(const REAL *restrict x, REAL *restrict energy, REAL *restrict gradient) {
  evaluate(x, energy, gradient, 1);
}

static void energies(const REAL *restrict x, REAL *restrict energy) { evaluate(x, energy, NULL, 0); }

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

/* xoshiro256+ for double, xoshiro128+ for float: as many random bits as the type can hold. */
static uint64_t words[4][LANES];
static uint32_t short_words[4][LANES];

static void uniforms64(double *u) {
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

static void uniforms32(float *u) {
  for (int l = 0; l < LANES; l++) {
    uint32_t r = short_words[0][l] + short_words[3][l], t = short_words[1][l] << 9;
    short_words[2][l] ^= short_words[0][l];
    short_words[3][l] ^= short_words[1][l];
    short_words[1][l] ^= short_words[2][l];
    short_words[0][l] ^= short_words[3][l];
    short_words[2][l] ^= t;
    short_words[3][l] = short_words[3][l] << 11 | short_words[3][l] >> 21;
    uint32_t bits = r >> 9 | 0x3f800000u;
    float one;
    memcpy(&one, &bits, 4);
    u[l] = one - 1;
  }
}

#define uniforms(u) _Generic((u), double *: uniforms64, float *: uniforms32)(u)

static REAL dimer(REAL x, REAL y, REAL xo, REAL yo) {
  REAL dx = x - xo, dy = y - yo, w = 2 * (sqrt(dx * dx + dy * dy) - middle);
  return slope * w - quadratic * w * w + quartic * w * w * w * w + stiffness * ((x + xo) * (x + xo) + y * y);
}

/* One sweep of LANES chains: every particle is offered one move. Counts accepted moves of each. */
static void sweep(REAL (*restrict x)[LANES], REAL (*restrict y)[LANES], long *restrict accepts) {
  const REAL s2 = sigma * sigma;
  REAL u[LANES], v[LANES], w[LANES], xn[LANES], yn[LANES], change[LANES];
  for (int i = 0; i < PARTICLES; i++) {
    uniforms(u);
    uniforms(v);
    uniforms(w);
    for (int l = 0; l < LANES; l++) {
      xn[l] = x[i][l] + longest * (2 * u[l] - 1);
      yn[l] = y[i][l] + longest * (2 * v[l] - 1);
      change[l] = 0;
    }
    for (int j = i < 2 ? 2 : 0; j < PARTICLES; j++) {
      if (j == i) continue;
      for (int l = 0; l < LANES; l++) {
        REAL ax = x[i][l] - x[j][l], ay = y[i][l] - y[j][l], bx = xn[l] - x[j][l], by = yn[l] - y[j][l];
        REAL a = s2 / (ax * ax + ay * ay), b = s2 / (bx * bx + by * by);
        REAL a3 = a * a * a, b3 = b * b * b;
        change[l] += b3 * b3 - a3 * a3;
      }
    }
    for (int l = 0; l < LANES; l++) {
      REAL a = beyond(x[i][l]), b = beyond(y[i][l]), c = beyond(xn[l]), d = beyond(yn[l]);
      change[l] = epsilon * change[l] + box * (c * c + d * d - a * a - b * b);
    }
    if (i < 2)
      for (int l = 0; l < LANES; l++)
        change[l] += dimer(xn[l], yn[l], x[1 - i][l], y[1 - i][l]) - dimer(x[i][l], y[i][l], x[1 - i][l], y[1 - i][l]);
    for (int l = 0; l < LANES; l++) {
      int accept = w[l] < exp(-change[l]);
      x[i][l] = accept ? xn[l] : x[i][l];
      y[i][l] = accept ? yn[l] : y[i][l];
      accepts[l] += accept;
    }
  }
}

static REAL frames[BATCH * DIM], values[BATCH], slopes[BATCH * DIM];
static REAL place_x[PARTICLES][LANES], place_y[PARTICLES][LANES];
static long accepts[LANES];

/* The work that is timed: repetitions of all frames, or sweeps. */
static void work(char task, long count) {
  for (long r = 0; r < count; r++) {
    if (task == 'm') sweep(place_x, place_y, accepts);
    else
      for (int s = 0; s < BATCH; s += LANES)
        if (task == 'g') gradients(frames + s * DIM, values + s, slopes + s * DIM);
        else energies(frames + s * DIM, values + s);
  }
}

static void place(int l, const double *row) {
  for (int i = 0; i < PARTICLES; i++) place_x[i][l] = row[2 * i], place_y[i][l] = row[2 * i + 1];
  for (int k = 0; k < 4; k++) {
    words[k][l] = (uint64_t)(uniform() * 0x1p53) * 2048 + l;
    short_words[k][l] = (uint32_t)(uniform() * 0x1p32) | 1;
  }
}

static void read_rows(const char *folder, const char *name, double *rows, size_t count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file || fread(rows, sizeof(double), count, file) != count) {
    printf("{\"error\":\"cannot read %s\"}\n", path);
    exit(1);
  }
  fclose(file);
}

/* Energies, and gradients of the task that has them, in float64. */
static void write_results(const char *path, char task) {
  FILE *file = fopen(path, "wb");
  for (int s = 0; s < BATCH; s++) {
    double value = values[s];
    fwrite(&value, sizeof value, 1, file);
  }
  for (int k = 0; task == 'g' && k < BATCH * DIM; k++) {
    double value = slopes[k];
    fwrite(&value, sizeof value, 1, file);
  }
  fclose(file);
}

static void check(const char *path, char task) {
  work(task, task == 'm' ? BURN_IN : 1);
  if (task != 'm') {
    write_results(path, task);
    printf("{}\n");
    return;
  }
  memset(accepts, 0, sizeof accepts);
  work(task, COUNTED);
  printf("{\"acceptance\":[");
  for (int l = 0; l < LANES; l++) printf("%s%.9f", l ? "," : "", accepts[l] / ((double)COUNTED * PARTICLES));
  printf("]}\n");
}

static int serve(const char *folder, char task) {
  double *rows = malloc(sizeof(double) * BATCH * DIM);
  char line[4096];
  read_rows(folder, "frames.f64", rows, BATCH * DIM);
  for (int k = 0; k < BATCH * DIM; k++) frames[k] = rows[k];
  read_rows(folder, "starts.f64", rows, LANES * DIM);
  for (int l = 0; l < LANES; l++) place(l, rows + l * DIM);
  printf("{\"version\":\"gcc " __VERSION__ "\",\"settings\":\"1 thread, %zu-bit numbers\"}\n", 8 * sizeof(REAL));
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "check ", 6) == 0) check(line + 6, task);
    else {
      double processor = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
      work(task, atol(line + 3));
      printf("{\"processor\":%.9f,\"wall\":%.9f}\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
             seconds(CLOCK_MONOTONIC) - wall);
    }
    fflush(stdout);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 3) return serve(argv[1], argv[2][0]);
  const char task = argc > 1 ? argv[1][0] : 'g';
  const int repetitions = argc > 2 ? atoi(argv[2]) : 100;
  double row[DIM], sum = 0, moves = (double)repetitions * PARTICLES * LANES;
  for (int l = 0; l < LANES; l++) {
    start(row, l % 2 ? 2.05 : 1, 0);
    place(l, row);
  }
  for (int s = 0; s < BATCH; s++) {
    start(row, s % 2 ? 2.05 : 1, 0.05);
    for (int c = 0; c < DIM; c++) frames[s * DIM + c] = row[c];
  }
  if (task == 'm') work(task, BURN_IN);
  memset(accepts, 0, sizeof accepts);
  double begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
  work(task, repetitions);
  double elapsed = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
  for (int l = 0; task == 'm' && l < LANES; l++) sum += accepts[l] / moves;
  for (int s = 0; task != 'm' && s < BATCH; s++) sum += values[s] + 1e-9 * slopes[s * DIM];
  printf("%.4f %.6f\n", 1e9 * elapsed / (task == 'm' ? moves : (double)repetitions * BATCH), sum);
  return 0;
}
