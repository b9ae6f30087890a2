/* SPDX-License-Identifier: MIT */
#include "lwp/client/life.h"

#include "lwp/session/session.h"

void lwp_life_init(struct lwp_life *life, const struct lwp_life_options *options,
                   const struct lwp_address *home, uint64_t seed)
{
    *life = (struct lwp_life){
        .options = *options,
        .home = *home,
        .target = *home,
        .deadline_ns = LWP_NEVER,
        .backoff = lwp_backoff_of(&options->backoff, seed),
        .why = lwp_details_of(LWP_OK),
    };
    if (life->options.max_hops > LWP_LIFE_MAX_HOPS)
        life->options.max_hops = LWP_LIFE_MAX_HOPS;
}

static void attempt(struct lwp_life *life, uint64_t now_ns)
{
    life->state = LWP_LIFE_CONNECTING;
    life->deadline_ns = lwp_deadline_after(now_ns, life->options.connect_timeout_ns);
    life->attempt++;
}

void lwp_life_start(struct lwp_life *life, uint64_t now_ns)
{
    if (life->state == LWP_LIFE_IDLE)
        attempt(life, now_ns);
}

void lwp_life_advance(struct lwp_life *life)
{
    const bool busy = life->state == LWP_LIFE_CONNECTING || life->state == LWP_LIFE_SECURING ||
                      life->state == LWP_LIFE_AUTHENTICATING;
    if (!busy)
        return;
    if (life->state == LWP_LIFE_CONNECTING && life->options.secure) {
        life->state = LWP_LIFE_SECURING;
    } else if (life->state != LWP_LIFE_AUTHENTICATING && life->options.authenticate) {
        life->state = LWP_LIFE_AUTHENTICATING;
    } else {
        life->state = LWP_LIFE_READY;
        life->deadline_ns = LWP_NEVER;
        life->was_ready = true;
    }
}

/* What another attempt, unchanged, can not mend. */
static bool is_hopeless(enum lwp_status status)
{
    static const enum lwp_status hopeless[] = {
        LWP_AUTH_REQUIRED,       LWP_AUTH_FAILED, LWP_ACCESS_DENIED,
        LWP_CERTIFICATE_REFUSED, LWP_NO_MEMORY,   LWP_INVALID_ARGUMENT,
    };
    for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
        if (hopeless[i] == status)
            return true;
    return false;
}

static void end(struct lwp_life *life)
{
    life->state = LWP_LIFE_ENDED;
    life->deadline_ns = LWP_NEVER;
}

/* Waits, and then goes to `target`. */
static void wait(struct lwp_life *life, uint64_t now_ns)
{
    uint64_t wait_ns = 0;
    if (!lwp_backoff_fail(&life->backoff, &wait_ns)) {
        end(life);
        return;
    }
    life->state = LWP_LIFE_WAITING;
    life->deadline_ns = lwp_deadline_after(now_ns, wait_ns);
}

void lwp_life_fail(struct lwp_life *life, const struct lwp_details *why, uint64_t now_ns)
{
    if (life->state == LWP_LIFE_ENDED)
        return;
    const bool was_connected = life->state == LWP_LIFE_READY;
    life->why = *why;
    if (!was_connected) {
        life->target = life->home;
        life->hops = 0;
    }
    /* Later, damage on the wire can be the reason as well. */
    const bool speaks_no_tls = life->state == LWP_LIFE_SECURING && why->status == LWP_TLS_FAILED;
    if (is_hopeless(why->status) || speaks_no_tls || (!life->was_ready && !life->options.patient))
        end(life);
    else
        wait(life, now_ns);
}

static bool is_same(const struct lwp_address *a, const struct lwp_address *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

/* Whether this chase has been there. The place that redirects us is part of it. */
static bool was_visited(const struct lwp_life *life, const struct lwp_address *place)
{
    for (unsigned i = 0; i <= life->hops; i++)
        if (is_same(&life->visited[i], place))
            return true;
    return false;
}

bool lwp_life_redirect(struct lwp_life *life, const struct lwp_details *why, uint64_t now_ns)
{
    struct lwp_address leader;
    if (life->state == LWP_LIFE_ENDED || lwp_address_parse(why->leader, &leader) != LWP_OK)
        return false;
    life->why = *why;
    life->visited[life->hops] = life->target;
    if (life->hops >= life->options.max_hops || was_visited(life, &leader)) {
        life->target = life->home;
        life->hops = 0;
        wait(life, now_ns);
        return false;
    }
    life->hops++;
    life->target = leader;
    attempt(life, now_ns);
    return true;
}

void lwp_life_succeed(struct lwp_life *life)
{
    lwp_backoff_reset(&life->backoff);
    life->hops = 0;
}

bool lwp_life_tick(struct lwp_life *life, uint64_t now_ns)
{
    if (life->deadline_ns == LWP_NEVER || now_ns < life->deadline_ns)
        return false;
    if (life->state == LWP_LIFE_WAITING) {
        attempt(life, now_ns);
        return true;
    }
    const struct lwp_details late = lwp_details_of(LWP_TIMEOUT);
    lwp_life_fail(life, &late, now_ns);
    return true;
}

void lwp_life_end(struct lwp_life *life, enum lwp_status status)
{
    if (life->state == LWP_LIFE_ENDED)
        return;
    life->why = lwp_details_of(status);
    end(life);
}
