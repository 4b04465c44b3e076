#if !canImport(Darwin)
    /// Adds points of a curve, many pairs at a time, so that the one division that each sum needs is shared. A point is
    /// `2 * width` words: x and y in Montgomery's form. There is no point at infinity.
    struct PointSums {
        /// `sum` may be where a pair before this one, or this one, is.
        struct Pair {
            var a: UnsafePointer<UInt64>
            var b: UnsafePointer<UInt64>
            var sum: UnsafeMutablePointer<UInt64>
        }

        private let field: PrimeModulus
        /// The most pairs at a time.
        private let capacity: Int
        private let memory: UnsafeMutablePointer<UInt64>

        /// Needs a `deallocate`.
        init(field: PrimeModulus, capacity: Int) {
            self.field = field
            self.capacity = capacity
            memory = .allocate(capacity: (2 * capacity + 5) * field.width)
        }

        func deallocate() { memory.deallocate() }

        /// Replaces each `sum` by `a + b`. Pairs of equal or opposite points have no sum here: returns which those are.
        func add(_ pairs: [Pair]) -> [Int] {
            precondition(pairs.count <= capacity, "more pairs than there is memory for")
            let width = field.width
            let inverses = memory
            let products = inverses + capacity * width
            let slope = products + capacity * width
            let x = slope + width
            let y = x + width
            let scratch = y + width
            var without: [Int] = []
            for (i, pair) in pairs.enumerated() {
                let difference = inverses + i * width
                field.subtract(difference, pair.b, pair.a, scratch: scratch)
                if field.isZero(difference) {
                    without.append(i)
                    difference.update(from: field.one, count: width)
                }
            }
            field.invert(inverses, count: pairs.count, products: products)
            for (i, pair) in pairs.enumerated() {
                field.subtract(slope, pair.b + width, pair.a + width, scratch: scratch)
                field.multiply(slope, slope, inverses + i * width)
                field.multiply(x, slope, slope)
                field.subtract(x, x, pair.a, scratch: scratch)
                field.subtract(x, x, pair.b, scratch: scratch)
                field.subtract(y, pair.a, x, scratch: scratch)
                field.multiply(y, y, slope)
                field.subtract(pair.sum + width, y, pair.a + width, scratch: scratch)
                pair.sum.update(from: x, count: width)
            }
            return without
        }

        /// Sums up several lists of points. List `i` has `counts[i]` points from `points + i * stride` points on; its sum
        /// takes the place of the first, and `counts[i]` becomes 1, or 0 when there is no sum.
        func reduce(_ points: UnsafeMutablePointer<UInt64>, _ counts: inout [Int], stride: Int) {
            let size = 2 * field.width
            var pairs: [Pair] = []
            var lists: [Int] = []
            while true {
                for (list, count) in counts.enumerated() where count > 1 {
                    let first = points + list * stride * size
                    for i in 0..<count / 2 {
                        pairs.append(
                            Pair(a: first + 2 * i * size, b: first + (2 * i + 1) * size, sum: first + i * size))
                        lists.append(list)
                    }
                }
                if pairs.isEmpty { return }
                let without = add(pairs)
                for (list, count) in counts.enumerated() where count > 1 {
                    if count % 2 == 1 {
                        let first = points + list * stride * size
                        (first + count / 2 * size).update(from: first + (count - 1) * size, count: size)
                    }
                    counts[list] = (count + 1) / 2
                }
                for i in without { counts[lists[i]] = 0 }
                pairs.removeAll(keepingCapacity: true)
                lists.removeAll(keepingCapacity: true)
            }
        }

        /// Replaces `negative`, a place for a point, by `-point`.
        func negate(_ negative: UnsafeMutablePointer<UInt64>, _ point: UnsafePointer<UInt64>) {
            let width = field.width
            let zero = memory
            let scratch = zero + width
            zero.update(repeating: 0, count: width)
            negative.update(from: point, count: width)
            field.subtract(negative + width, zero, point + width, scratch: scratch)
        }
    }
#endif
