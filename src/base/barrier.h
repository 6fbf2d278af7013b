/*
 * Order between this CPU and a device, and register access, as C11 atomics: memory of the DMA
 * pool is cache coherent with every device, real or not, so acquire and release are enough.
 */
#ifndef BASE_BARRIER_H
#define BASE_BARRIER_H

#include <stdatomic.h>
#include <stdint.h>

/** dma_wmb() - everything written before is seen by the device before what is written after. */
static inline void dma_wmb(void)
{
	atomic_thread_fence(memory_order_release);
}

/** dma_rmb() - nothing after is read before what was read before: phase tag, then entry. */
static inline void dma_rmb(void)
{
	atomic_thread_fence(memory_order_acquire);
}

/** mmio_read32() - one 32-bit load, ordered before every access that follows. */
static inline uint32_t mmio_read32(const volatile void *addr)
{
	return atomic_load_explicit((const volatile _Atomic uint32_t *)addr, memory_order_acquire);
}

/** mmio_read64() - one 64-bit load, ordered before every access that follows. */
static inline uint64_t mmio_read64(const volatile void *addr)
{
	return atomic_load_explicit((const volatile _Atomic uint64_t *)addr, memory_order_acquire);
}

/** mmio_write32() - one 32-bit store, after everything written before: a doorbell. */
static inline void mmio_write32(volatile void *addr, uint32_t val)
{
	atomic_store_explicit((volatile _Atomic uint32_t *)addr, val, memory_order_release);
}

/** mmio_write64() - one 64-bit store, after everything written before. */
static inline void mmio_write64(volatile void *addr, uint64_t val)
{
	atomic_store_explicit((volatile _Atomic uint64_t *)addr, val, memory_order_release);
}

#endif
