/* SPDX-License-Identifier: MIT */
/* target.h - a server that the runner starts itself, starts again, and whose use of the machine it
 * judges. */
#ifndef LWP_CONFORM_TARGET_H
#define LWP_CONFORM_TARGET_H

#include "conformance/process.h"
#include "conformance/suite.h"

struct target_options {
    const char *command;         /* Starts it; NULL: it runs already. In it, {port} is the port. */
    const char *restart_command; /* Starts it again; NULL: `command`, if there is one. */
    uint64_t max_memory;         /* Its peak, in bytes. */
    uint64_t max_leaks;          /* Descriptors, and threads, more at the end than at the begin. */
    unsigned time_factor;
};

/* What a target is judged by besides cases: target.def. */
enum target_judged {
#define TARGET_JUDGED(name, id, text) TARGET_##name,
#include "conformance/target.def"
#undef TARGET_JUDGED
    TARGET_JUDGED_COUNT
};

struct target {
    struct suite_host host; /* First, so that one is the other. */
    struct target_options options;
    struct lwp_address address;
    struct process process;
    struct process_use first; /* Before the first case. */
    bool measured;
    uint64_t peak_size;
    char peak_id[128]; /* The case at which it took too much; "" if it never did. */
    char alarm[PROCESS_LINE_SIZE];
    char end[RESULT_TEXT_SIZE]; /* How it ended for the first time without being asked. */
    struct script_case judged[TARGET_JUDGED_COUNT];
    struct lwp_bytes texts[TARGET_JUDGED_COUNT];
};

/**
 * Makes the target, and starts it if it is to be started. Where `address` has no port, as text "0", a
 * free one is chosen; it is in `target->address` afterwards. False, said on stderr, if it does not
 * accept connections in 10 s; it must be ended all the same. The options' texts must outlive it.
 */
bool target_init(struct target *target, const struct target_options *options,
                 const struct lwp_address *address);

/** Ends what runs. Harmless where nothing does. */
void target_end(struct target *target);

#endif
