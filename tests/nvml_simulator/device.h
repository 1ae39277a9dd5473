/* Simulated GPUs: what the file says about them, and what they show at a moment.
 *
 * The file named by NVML_SIMULATOR has a line for each fact:
 *
 *     gpus N                                  how many there are
 *     update_s S                              counter and power are renewed this often (0.1)
 *     average_s S                             the averaged power looks back this far (1.0)
 *     waveform GPU [SECONDS FROM_W TO_W]...   linear pieces, repeated for ever from time 0
 *     set GPU NAME VALUE                      phase_s, temperature_c, sm_clock_mhz, ...
 *     process GPU PID                         a compute process on the device
 *     error GPU FUNCTION CODE FROM_S TO_S     calls fail in this time (FUNCTION * is all)
 *     reset GPU AT_S                          the counter starts again from 0
 *     slow GPU AT_S SECONDS                   the first call after AT_S takes this long
 *     scale GPU QUANTITY FACTOR               readings are wrong by this factor
 *     freeze GPU AT_S TO_S [LOST]             the counter stands still, then shows the truth, or
 *                                             what is left of it if LOST is 1
 *     spike GPU QUANTITY VALUE AT_S TO_S      readings are garbage: millijoules or milliwatts
 *     name GPU TEXT                           product name
 *
 * QUANTITY is counter, instant or average.
 *
 * All times are CLOCK_MONOTONIC, so whoever knows the file knows the energy of any window. The
 * file is read again when it changes, so a test can make a device fail at the moment it wants.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { COUNTER, INSTANT, AVERAGE, QUANTITIES };
enum { MAX_GPUS = 16, MAX_PIECES = 32, MAX_EVENTS = 64, MAX_PROCESSES = 8 };

typedef struct { double seconds, from_w, to_w; } Piece;

typedef struct {
    int index, pieces, processes;
    Piece piece[MAX_PIECES];
    unsigned pid[MAX_PROCESSES];
    double phase_s, reset_s;
    double scale[QUANTITIES], freeze_s, thaw_s, lost;
    char name[64];
    double temperature_c, sm_clock_mhz, memory_clock_mhz, event_reasons, power_limit_w, mig;
} Gpu;

typedef struct { int gpu, code; char function[64]; double from_s, to_s; } Failure;
typedef struct { int gpu; double at_s, seconds; } Delay;
typedef struct { int gpu, quantity; double value, from_s, to_s; } Spike;

static struct {
    int gpus, failures, delays, spikes;
    double update_s, average_s;
    Gpu gpu[MAX_GPUS];
    Failure failure[MAX_EVENTS];
    Delay delay[MAX_EVENTS];
    Spike spike[MAX_EVENTS];
} world;

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

/* ---- the file ---------------------------------------------------------------------------- */

static void set(Gpu *gpu, const char *name, double value) {
    struct { const char *name; double *place; } settings[] = {
        {"phase_s", &gpu->phase_s}, {"temperature_c", &gpu->temperature_c},
        {"sm_clock_mhz", &gpu->sm_clock_mhz}, {"memory_clock_mhz", &gpu->memory_clock_mhz},
        {"event_reasons", &gpu->event_reasons}, {"power_limit_w", &gpu->power_limit_w},
        {"mig", &gpu->mig},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!strcmp(settings[i].name, name)) *settings[i].place = value;
}

static void start_over(void) {
    memset(&world, 0, sizeof world);
    world.update_s = 0.1;
    world.average_s = 1.0;
    for (int i = 0; i < MAX_GPUS; i++)
        world.gpu[i] = (Gpu){.index = i, .temperature_c = 40, .sm_clock_mhz = 1980,
                             .memory_clock_mhz = 2619, .power_limit_w = 700,
                             .scale = {1, 1, 1}, .freeze_s = INFINITY, .thaw_s = INFINITY,
                             .name = "Simulated GPU", .reset_s = -INFINITY};
}

static int quantity_of(const char *name) {
    return !strcmp(name, "counter") ? COUNTER : !strcmp(name, "instant") ? INSTANT : AVERAGE;
}

static void understand(char *line) {
    int index = 0, used = 0;
    char word[64] = "", name[64] = "";
    if (sscanf(line, "update_s %lf", &world.update_s) == 1) return;
    if (sscanf(line, "average_s %lf", &world.average_s) == 1) return;
    if (sscanf(line, "%63s %d%n", word, &index, &used) < 2) return;
    if (!strcmp(word, "gpus")) { world.gpus = index < MAX_GPUS ? index : MAX_GPUS; return; }
    if (index < 0 || index >= MAX_GPUS) return;
    Gpu *gpu = &world.gpu[index];
    char *rest = line + used;
    double first, second;
    if (!strcmp(word, "waveform")) {
        Piece one;
        while (gpu->pieces < MAX_PIECES &&
               sscanf(rest, "%lf %lf %lf%n", &one.seconds, &one.from_w, &one.to_w, &used) == 3) {
            gpu->piece[gpu->pieces++] = one;
            rest += used;
        }
    } else if (!strcmp(word, "set") && sscanf(rest, "%63s %lf", name, &first) == 2) {
        set(gpu, name, first);
    } else if (!strcmp(word, "process") && gpu->processes < MAX_PROCESSES) {
        sscanf(rest, "%u", &gpu->pid[gpu->processes++]);
    } else if (!strcmp(word, "reset")) {
        sscanf(rest, "%lf", &gpu->reset_s);
    } else if (!strcmp(word, "slow") && sscanf(rest, "%lf %lf", &first, &second) == 2) {
        if (world.delays < MAX_EVENTS) world.delay[world.delays++] = (Delay){index, first, second};
    } else if (!strcmp(word, "scale") && sscanf(rest, "%63s %lf", name, &first) == 2) {
        gpu->scale[quantity_of(name)] = first;
    } else if (!strcmp(word, "freeze")) {
        sscanf(rest, "%lf %lf %lf", &gpu->freeze_s, &gpu->thaw_s, &gpu->lost);
    } else if (!strcmp(word, "name")) {
        sscanf(rest, " %63[^\n]", gpu->name);
    } else if (!strcmp(word, "spike") && world.spikes < MAX_EVENTS) {
        Spike *one = &world.spike[world.spikes++];
        one->gpu = index;
        sscanf(rest, "%63s %lf %lf %lf", name, &one->value, &one->from_s, &one->to_s);
        one->quantity = quantity_of(name);
    } else if (!strcmp(word, "error") && world.failures < MAX_EVENTS) {
        Failure *one = &world.failure[world.failures++];
        one->gpu = index;
        sscanf(rest, "%63s %d %lf %lf", one->function, &one->code, &one->from_s, &one->to_s);
    }
}

/* Read the file again if it changed; 0 if there is none. */
static int read_file(void) {
    static struct stat known;
    const char *path = getenv("NVML_SIMULATOR");
    struct stat found;
    if (!path || stat(path, &found)) return 0;
    if (found.st_ino == known.st_ino && found.st_mtim.tv_sec == known.st_mtim.tv_sec &&
        found.st_mtim.tv_nsec == known.st_mtim.tv_nsec) return 1;
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    char line[2048];
    start_over();
    while (fgets(line, sizeof line, file)) understand(line);
    fclose(file);
    known = found;
    return 1;
}

/* ---- the waveform ------------------------------------------------------------------------ */

static double energy_of_piece(const Piece *piece, double elapsed_s) {
    double slope = (piece->to_w - piece->from_w) / piece->seconds;
    return (piece->from_w + slope * elapsed_s / 2) * elapsed_s;
}

/* Joules from time 0 to `time_s`. */
static double energy_j(const Gpu *gpu, double time_s) {
    double period_s = 0, period_j = 0;
    for (int i = 0; i < gpu->pieces; i++) {
        period_s += gpu->piece[i].seconds;
        period_j += energy_of_piece(&gpu->piece[i], gpu->piece[i].seconds);
    }
    if (period_s <= 0) return 0;
    double whole = floor(time_s / period_s), left_s = time_s - whole * period_s;
    double total_j = whole * period_j;
    for (int i = 0; i < gpu->pieces && left_s > 0; i++) {
        double elapsed_s = fmin(left_s, gpu->piece[i].seconds);
        total_j += energy_of_piece(&gpu->piece[i], elapsed_s);
        left_s -= elapsed_s;
    }
    return total_j;
}

static double power_w(const Gpu *gpu, double time_s) {
    double period_s = 0;
    for (int i = 0; i < gpu->pieces; i++) period_s += gpu->piece[i].seconds;
    if (period_s <= 0) return 0;
    double left_s = fmod(time_s, period_s);
    for (int i = 0; i < gpu->pieces; left_s -= gpu->piece[i++].seconds) {
        const Piece *piece = &gpu->piece[i];
        if (left_s < piece->seconds)
            return piece->from_w + (piece->to_w - piece->from_w) * left_s / piece->seconds;
    }
    return gpu->piece[gpu->pieces - 1].to_w;
}

/* The last moment at which the device renewed its readings. */
static double updated_s(const Gpu *gpu) {
    double since_s = now_s() - gpu->phase_s;
    return floor(since_s / world.update_s) * world.update_s + gpu->phase_s;
}

/* What a source shows in thousandths: the truth, with the faults that were planted. */
static double shown(const Gpu *gpu, int quantity, double truth) {
    double at_s = now_s();
    for (int i = 0; i < world.spikes; i++) {
        const Spike *one = &world.spike[i];
        if (one->gpu == gpu->index && one->quantity == quantity && at_s >= one->from_s &&
            at_s < one->to_s) return one->value;
    }
    return truth * gpu->scale[quantity] * 1000;
}

static unsigned long long counter_mj(const Gpu *gpu) {
    double at_s = updated_s(gpu), from_j = 0;
    if (at_s >= gpu->reset_s && isfinite(gpu->reset_s)) from_j = energy_j(gpu, gpu->reset_s);
    if (at_s >= gpu->freeze_s && at_s < gpu->thaw_s) at_s = gpu->freeze_s;
    else if (at_s >= gpu->thaw_s && gpu->lost > 0)
        from_j += energy_j(gpu, gpu->thaw_s) - energy_j(gpu, gpu->freeze_s);
    return shown(gpu, COUNTER, energy_j(gpu, at_s) - from_j);
}

static unsigned instant_mw(const Gpu *gpu) {
    return shown(gpu, INSTANT, power_w(gpu, updated_s(gpu)));
}

static unsigned average_mw(const Gpu *gpu) {
    double at_s = updated_s(gpu), from_s = at_s - world.average_s;
    return shown(gpu, AVERAGE, (energy_j(gpu, at_s) - energy_j(gpu, from_s)) / world.average_s);
}
