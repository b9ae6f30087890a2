/* SPDX-License-Identifier: MIT */
/* diff_state.h - parts of a comparison; shared by the diff*.c files and nobody else. */
#ifndef LWP_CONFORM_DIFF_STATE_H
#define LWP_CONFORM_DIFF_STATE_H

#include "conformance/diff.h"
#include "lwp/wire/message.h"

/* The same topic's id on both servers. */
struct diff_pair {
    uint64_t id[DIFF_SIDES];
};

/* One member of a document. */
struct diff_member {
    const char *path;  /* Names joined by dots; elements with a name go by that. */
    const char *value; /* As JSON. */
    bool is_number;
    uint64_t number;
};

struct diff_document {
    SCRIPT_LIST(struct diff_member) members;
};

struct diff {
    const struct diff_side *sides;
    const char *prefix;
    struct script_arena arena;
    SCRIPT_LIST(struct diff_pair) pairs;
    diff_found *found;
    void *context;
    struct difference at; /* Where the comparison is. */
    size_t count;
};

/** A field differs: tells of it. */
void diff_tell(struct diff *diff, const char *field, const char *a, const char *b);

/** Whether both numbers are the same, or the ids of one topic. */
bool diff_same_number(const struct diff *diff, uint64_t a, uint64_t b);

/** Whether both texts are the same but for ids of topics. */
bool diff_same_text(const struct diff *diff, struct lwp_bytes a, struct lwp_bytes b);

/** Takes a document apart. False if it is none. */
bool diff_read(struct diff *diff, struct lwp_bytes text, struct diff_document *document);

/** The member at this path, or NULL. */
const struct diff_member *diff_member_of(const struct diff_document *document, const char *path);

/** Compares two documents; of a status only which members there are. */
void diff_documents(struct diff *diff, const struct diff_document documents[DIFF_SIDES],
                    bool is_status);

/** Compares two frames. */
void diff_frames(struct diff *diff, const struct lwp_frame frames[DIFF_SIDES]);

#endif
