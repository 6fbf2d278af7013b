/*
 * Intrusive lists: a circular doubly linked one, and a singly linked tail queue. Nodes live in
 * the structures they link; list_entry() gets from a node to its structure. No locking.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** list_entry() - the @type whose member @member is at @ptr. */
#define list_entry(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Both the head of a list and a link in it. */
struct list_node {
	struct list_node *next;
	struct list_node *prev;
};

/** list_init() - make @node an empty list, or a link that is in none. */
static inline void list_init(struct list_node *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool list_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_add_tail(struct list_node *head, struct list_node *node)
{
	node->next = head;
	node->prev = head->prev;
	head->prev->next = node;
	head->prev = node;
}

/** list_del() - take @node out of its list; it may be added again, or deleted again. */
static inline void list_del(struct list_node *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

struct tailq_node {
	struct tailq_node *next;
};

struct tailq {
	struct tailq_node *first;
	struct tailq_node **last; /* where the next node's address goes */
};

static inline void tailq_init(struct tailq *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static inline bool tailq_empty(const struct tailq *q)
{
	return !q->first;
}

static inline void tailq_push(struct tailq *q, struct tailq_node *node)
{
	node->next = NULL;
	*q->last = node;
	q->last = &node->next;
}

/** tailq_pop() - take the first node, NULL if there is none. */
static inline struct tailq_node *tailq_pop(struct tailq *q)
{
	struct tailq_node *node = q->first;

	if (node) {
		q->first = node->next;
		if (!q->first)
			q->last = &q->first;
	}
	return node;
}

#endif
