/* SPDX-License-Identifier: MIT */
/* interrupt.h - SIGINT and SIGTERM as something to wait for, so that a command ends in order. */
#ifndef LWP_TOOLS_INTERRUPT_H
#define LWP_TOOLS_INTERRUPT_H

#include <stdbool.h>

/** Holds back both signals; the descriptor becomes readable when one has come. -1, and the signals as
 * ever, if there is none left. */
int interrupt_open(void);

/** Whether one has come. The second one ends the process, as ever: so nobody has to wait for an end in
 * order. False for -1. */
bool interrupt_came(int fd);

/** Forgets a signal that nobody has asked for, lets both act as ever and closes; -1 is fine. */
void interrupt_close(int fd);

#endif
