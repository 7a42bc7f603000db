import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

@Entity('users')
@Unique('users_name_folded_key', ['nameFolded'])
export class User {
  @PrimaryGeneratedColumn('uuid', { primaryKeyConstraintName: 'users_pkey' })
  id!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text')
  name!: string;

  @Column('text', { name: 'name_folded' })
  nameFolded!: string;

  /** Only code that proves a password selects it. */
  @Column('text', { name: 'password_hash', select: false })
  passwordHash!: string;

  @Column('text')
  scope!: string;

  @Column('timestamptz', { name: 'disabled_at', nullable: true })
  disabledAt!: Date | null;

  /** When somebody last chose the password; null if that was before this was noted. Renewing the hash does not change it. */
  @Column('timestamptz', { name: 'password_set_at', nullable: true })
  passwordSetAt!: Date | null;

  /** Counts the endings of all of this user's grants: see `owner_endings`. */
  @Column('bigint', { default: 0 })
  epoch!: string;
}

/** The columns that change when somebody chooses a password. */
export const chosenPassword = (hash: string) =>
  ({ passwordHash: hash, passwordSetAt: () => 'clock_timestamp()' }) as const;
