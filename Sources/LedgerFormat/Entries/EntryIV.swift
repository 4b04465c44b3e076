import LedgerProofs

/// The AES-GCM IV of an entry: `u64 seqno ‖ u32 view`, both little-endian.
public struct EntryIV: Hashable, Sendable {
    public static let byteCount = 12
    /// The top bit of the view field: a snapshot, which has no view.
    public static let snapshotBit: UInt32 = 1 << 31

    public var seqno: SequenceNumber
    /// The view field with the snapshot bit.
    public var viewField: UInt32

    public init(seqno: SequenceNumber, viewField: UInt32) {
        self.seqno = seqno
        self.viewField = viewField
    }

    public init(_ id: TransactionID) { self.init(seqno: id.seqno, viewField: id.view.rawValue) }

    /// The IV of the snapshot at `seqno`.
    public static func snapshot(_ seqno: SequenceNumber) -> EntryIV {
        EntryIV(seqno: seqno, viewField: snapshotBit)
    }

    public var view: View { View(viewField & ~EntryIV.snapshotBit) }
    public var isSnapshot: Bool { viewField & EntryIV.snapshotBit != 0 }
    public var id: TransactionID { TransactionID(view: view, seqno: seqno) }

    /// The 12 bytes.
    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        withUnsafeTemporaryAllocation(byteCount: EntryIV.byteCount, alignment: 8) { bytes in
            bytes.storeBytes(of: seqno.rawValue.littleEndian, as: UInt64.self)
            bytes.storeBytes(of: viewField.littleEndian, toByteOffset: 8, as: UInt32.self)
            return body(UnsafeRawBufferPointer(bytes))
        }
    }

    func append(to buffer: inout [UInt8]) {
        buffer.append(littleEndian: seqno.rawValue)
        buffer.append(littleEndian: viewField)
    }
}
