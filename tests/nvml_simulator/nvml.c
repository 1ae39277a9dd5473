/* A libnvidia-ml.so.1 for machines without one: NVIDIA's interface to the GPUs of device.h.
 *
 * Structures and function names follow NVIDIA's NVML API reference, as nvidia-ml-py, Zeus and
 * CodeCarbon call them. What is not here is answered as by a driver that is too old for it.
 */

#include <pthread.h>

#include "device.h"

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3,
       INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15 };
enum { FIELD_TOTAL_ENERGY = 83, FIELD_POWER_AVERAGE = 185, FIELD_POWER_INSTANT = 186 };

static int users;
static double delayed_until_s[MAX_GPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- what every call does first ---------------------------------------------------------- */

static void wait_if_slow(const Gpu *gpu) {
    double seconds = 0, at_s = now_s();
    for (int i = 0; i < world.delays; i++) {
        const Delay *delay = &world.delay[i];
        if (delay->gpu != gpu->index || at_s < delay->at_s) continue;
        if (delay->at_s <= delayed_until_s[gpu->index]) continue;
        delayed_until_s[gpu->index] = delay->at_s;
        seconds = delay->seconds;
    }
    struct timespec pause = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    if (seconds > 0) nanosleep(&pause, NULL);
}

static int begin(const Gpu *gpu, const char *function) {
    pthread_mutex_lock(&lock);
    int code = !users ? UNINITIALIZED : read_file() ? SUCCESS : DRIVER_NOT_LOADED;
    if (code == SUCCESS && gpu) {
        if (gpu < world.gpu || gpu >= world.gpu + world.gpus) code = INVALID_ARGUMENT;
        else wait_if_slow(gpu);
        double at_s = now_s();
        for (int i = 0; code == SUCCESS && i < world.failures; i++) {
            const Failure *one = &world.failure[i];
            int meant = !strcmp(one->function, "*") || !strcmp(one->function, function);
            if (one->gpu == gpu->index && meant && at_s >= one->from_s && at_s < one->to_s)
                code = one->code;
        }
    }
    pthread_mutex_unlock(&lock);
    return code;
}

#define BEGIN(gpu) do { int code = begin(gpu, __func__); if (code) return code; } while (0)

/* ---- the library ------------------------------------------------------------------------- */

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    int found = read_file();
    users += found;
    pthread_mutex_unlock(&lock);
    return found ? SUCCESS : DRIVER_NOT_LOADED;
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void) {
    BEGIN(NULL);
    users--;
    return SUCCESS;
}

const char *nvmlErrorString(int code) {
    switch (code) {
    case SUCCESS: return "Success";
    case UNINITIALIZED: return "Uninitialized";
    case INVALID_ARGUMENT: return "Invalid Argument";
    case NOT_SUPPORTED: return "Not Supported";
    case INSUFFICIENT_SIZE: return "Insufficient Size";
    case DRIVER_NOT_LOADED: return "Driver Not Loaded";
    case GPU_IS_LOST: return "GPU is lost";
    default: return "Unknown Error";
    }
}

int nvmlSystemGetDriverVersion(char *text, unsigned length) {
    BEGIN(NULL);
    snprintf(text, length, "0.0-simulated");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    BEGIN(NULL);
    *count = world.gpus;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Gpu **gpu) {
    BEGIN(NULL);
    if (index >= (unsigned)world.gpus) return INVALID_ARGUMENT;
    *gpu = &world.gpu[index];
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Gpu **gpu) {
    unsigned index;
    BEGIN(NULL);
    if (sscanf(uuid, "GPU-00000000-0000-0000-0000-%u", &index) != 1) return INVALID_ARGUMENT;
    return nvmlDeviceGetHandleByIndex_v2(index, gpu);
}

int nvmlDeviceGetUUID(Gpu *gpu, char *text, unsigned length) {
    BEGIN(gpu);
    snprintf(text, length, "GPU-00000000-0000-0000-0000-%012d", gpu->index);
    return SUCCESS;
}

int nvmlDeviceGetName(Gpu *gpu, char *text, unsigned length) {
    BEGIN(gpu);
    snprintf(text, length, "%s", gpu->name);
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(Gpu *gpu, unsigned long long *millijoules) {
    BEGIN(gpu);
    *millijoules = counter_mj(gpu);
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(Gpu *gpu, unsigned *milliwatts) {
    BEGIN(gpu);
    *milliwatts = average_mw(gpu);
    return SUCCESS;
}

typedef struct {
    unsigned field, scope;
    long long timestamp_us, latency_us;
    unsigned type, code;
    union { double real; unsigned whole; unsigned long long wide; } value;
} FieldValue;

int nvmlDeviceGetFieldValues(Gpu *gpu, int count, FieldValue *values) {
    BEGIN(gpu);
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "field%u", values[i].field);
        values[i].code = begin(gpu, name);
        if (values[i].code != SUCCESS) continue;
        values[i].timestamp_us = (long long)(updated_s(gpu) * 1e6);
        values[i].type = 1; /* unsigned int */
        switch (values[i].field) {
        case FIELD_POWER_INSTANT: values[i].value.whole = instant_mw(gpu); break;
        case FIELD_POWER_AVERAGE: values[i].value.whole = average_mw(gpu); break;
        case FIELD_TOTAL_ENERGY:
            values[i].type = 3; /* unsigned long long */
            values[i].value.wide = counter_mj(gpu);
            break;
        default: values[i].code = NOT_SUPPORTED;
        }
    }
    return SUCCESS;
}

#define SAYS(function, type, expression) \
    int function(Gpu *gpu, type *answer) { BEGIN(gpu); *answer = expression; return SUCCESS; }

SAYS(nvmlDeviceGetArchitecture, unsigned, 9) /* Hopper */
SAYS(nvmlDeviceGetPowerManagementLimit, unsigned, gpu->power_limit_w * 1000)
SAYS(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, gpu->power_limit_w * 1000)
SAYS(nvmlDeviceGetEnforcedPowerLimit, unsigned, gpu->power_limit_w * 1000)
SAYS(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long, gpu->event_reasons)
SAYS(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, gpu->event_reasons)
SAYS(nvmlDeviceGetComputeMode, unsigned, 0)

typedef struct { unsigned gpu, memory; } Utilization;
SAYS(nvmlDeviceGetUtilizationRates, Utilization, ((Utilization){100, 50}))

typedef struct { unsigned long long total, free, used; } Memory;
SAYS(nvmlDeviceGetMemoryInfo, Memory, ((Memory){85899345920, 85899345920, 0}))

int nvmlDeviceGetCudaComputeCapability(Gpu *gpu, int *major, int *minor) {
    BEGIN(gpu);
    *major = 9;
    *minor = 0;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(Gpu *gpu, unsigned *current, unsigned *pending) {
    BEGIN(gpu);
    *current = *pending = gpu->mig;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(Gpu *gpu, int type, unsigned *mhz) {
    BEGIN(gpu);
    *mhz = type == 2 ? gpu->memory_clock_mhz : gpu->sm_clock_mhz;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(Gpu *gpu, int sensor, unsigned *celsius) {
    (void)sensor;
    BEGIN(gpu);
    *celsius = gpu->temperature_c;
    return SUCCESS;
}

typedef struct { unsigned version, sensor; int celsius; } Temperature;

int nvmlDeviceGetTemperatureV(Gpu *gpu, Temperature *answer) {
    BEGIN(gpu);
    answer->celsius = gpu->temperature_c;
    return SUCCESS;
}

typedef struct { unsigned pid; unsigned long long bytes; unsigned instance, compute; } Process;

int nvmlDeviceGetComputeRunningProcesses_v3(Gpu *gpu, unsigned *count, Process *found) {
    BEGIN(gpu);
    unsigned room = *count;
    *count = gpu->processes;
    if (room < *count) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < *count; i++) found[i] = (Process){gpu->pid[i], 1 << 20, 0, 0};
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Gpu *gpu, unsigned *count, Process *found) {
    (void)found;
    BEGIN(gpu);
    *count = 0;
    return SUCCESS;
}
